"""Failures that stop a row against its class, and how to say so (sections 2 and 4 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sites.schema.failures import COMMON_MODE, MAINTENANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.lower.site import EpochState


@dataclass(frozen=True)
class Stop:
    """A failure that stops a row although its class does not allow it."""

    what: str
    """What happens to the row: `drop the row`, `stop all CDUs of the row` …"""
    kind: str
    """Of the failed element or unit, or `common-mode`."""
    group: str | None
    """Name of a common-mode group."""
    planned: str | None
    """Kind of the element that is out for work meanwhile, or that alone stops the row by a planned outage."""
    is_pair: bool


def forbidden_stops(state: EpochState, row: str, fields: Mapping[str, Any]) -> list[Stop]:
    """Every failure that stops a row against its class.

    Parameters: state, an epoch in which the row exists; fields of the row in the containment graph.
    """
    allowed = {str(kind) for kind in fields["may_drop_on"]}
    in_work = {str(kind) for kind in fields["maintenance"]}
    stops = []
    dropping = state.dropped_by.get(row, {})
    for failed, what in dropping.items():
        kind = state.kind_of(failed)
        if kind == MAINTENANCE:
            pair = state.pairs[failed].pair
            alone = pair.maintained in dropping or pair.failed in dropping
            if in_work and not alone and not fields["may_drop_in_maintenance"]:
                stops.append(_stop(state, pair.failed, what, state.kind_of(pair.maintained), is_pair=True))
        elif kind not in allowed:
            stops.append(_stop(state, failed, what, None))
        elif kind in in_work and failed in state.maintained:
            stops.append(_stop(state, failed, what, kind))
    return stops


def _stop(state: EpochState, failed: str, what: str, planned: str | None, *, is_pair: bool = False) -> Stop:
    kind = state.kind_of(failed)
    return Stop(what, kind, failed if kind == COMMON_MODE else None, planned, is_pair)


def stops_in_words(stops: Iterable[Stop]) -> str:
    """The failures in words: kinds of single elements and units, and common-mode groups by name.

    `the failure of a single feeder would stop all CDUs of the row and a planned outage of a ups would drop the row`.
    """
    by_what: dict[str, list[Stop]] = {}
    for stop in stops:
        by_what.setdefault(stop.what, []).append(stop)
    return " and ".join(f"{_causes(by_what[what])} would {what}" for what in sorted(by_what))


def _causes(stops: list[Stop]) -> str:
    words = _alone([stop for stop in stops if stop.planned is None])
    outages = sorted({stop.kind for stop in stops if stop.planned is not None and not stop.is_pair})
    if outages:
        words.append(f"the planned outage of a single {' or '.join(outages)}")
    for planned in sorted({stop.planned for stop in stops if stop.planned is not None and stop.is_pair}):
        together = _alone([stop for stop in stops if stop.is_pair and stop.planned == planned])
        words.append(f"{' and '.join(together)} during the planned outage of a {planned}")
    return " and ".join(words)


def _alone(stops: list[Stop]) -> list[str]:
    kinds = sorted({stop.kind for stop in stops if stop.group is None})
    groups = sorted({stop.group for stop in stops if stop.group is not None})
    words = [f"the failure of a single {' or '.join(kinds)}"] if kinds else []
    return words + [f"the common-mode failure of '{name}'" for name in groups]

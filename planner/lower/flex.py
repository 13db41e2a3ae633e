"""Rows that shed and cap after a failure, and what an element carries until they have (`docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from planner.lower.site import EpochState, LoweredSite


@dataclass(frozen=True)
class FlexRows:
    """The rows of one epoch that draw less once they have acted."""

    share: dict[str, Fraction]
    """What each goes on drawing of its IT power and heat (φ < 1), by row; rows that give up nothing are left out."""
    within_s: dict[str, Fraction]
    """How long each takes, by row."""
    behind: dict[str, tuple[str, ...]]
    """Rows that draw at a load node, by node."""

    def slowest_s(self, nodes: Iterable[str], dead_rows: Collection[str]) -> Fraction | None:
        """The longest that a row behind any of these load nodes takes; None when none of them is behind.

        Parameters: nodes with a positive share at an element; dead_rows, which draw nothing.
        """
        rows = {row for node in nodes for row in self.behind.get(node, ()) if row not in dead_rows}
        return max((self.within_s[row] for row in rows), default=None)


def flex_rows(site: LoweredSite, state: EpochState) -> FlexRows:
    """The rows of a site that exist in an epoch and give up some of their power, with racks or not."""
    share = {
        row: Fraction(fields["flex_share"])
        for row, fields in site.rows.items()
        if row in state.epoch.power and fields["flex_share"] < 1
    }
    behind: dict[str, list[str]] = {}
    for row in share:
        couplings = site.couplings[row]
        support = () if couplings.support is None else (couplings.support,)
        for node in (row, *(drive.node for drive in couplings.drives), *support):
            behind.setdefault(node, []).append(row)
    within_s = {row: Fraction(site.rows[row]["flex_within_s"]) for row in share}
    return FlexRows(share, within_s, {node: tuple(rows) for node, rows in behind.items()})


def before_action_w(fields: Mapping[str, Any], slowest_s: Fraction) -> int:
    """What an element carries until its rows have acted: its short-time load if that lasts, else its emergency load.

    Parameters: fields of the power node; slowest_s, the longest that a row behind it takes.
    """
    return int(fields["short_time_w"] if fields["short_time_s"] >= slowest_s else fields["emergency_w"])

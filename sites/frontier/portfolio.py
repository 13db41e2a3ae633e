"""The portfolios over these campuses: which belong to them, and the supply that all share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sites.calendar import quarter_index
from sites.frontier.edition import CITATION
from sites.frontier.phases import START, TODAY, phases
from sites.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.frontier.edition import Campus
    from sites.frontier.places import Place

PERIODS = 16
HOME = "United States"
KEPT_OUT = "China"
"""These systems may not be sold there without a licence, so no campus there is planned."""
ROOM_BY_HAND = ("fairwater-atlanta", "prometheus")
"""Sites kept by hand that have buildings to come which this edition does not date; see their files."""
UNFIT = ("new-carlisle",)
"""Sites whose halls have no technology loop, so that none of these systems fits: nothing is to be decided there."""
TIMES_DEFAULT = 8
"""Supply of all systems together, as a multiple of what the portfolio `default` assumes for a site alone."""


@dataclass(frozen=True)
class Member:
    """A campus of a portfolio."""

    campus: Campus
    place: Place

    @property
    def has_room(self) -> bool:
        """Whether buildings that these systems fit come on after today."""
        if self.place.site in UNFIT:
            return False
        end = quarter_index(START) + PERIODS
        coming = any(quarter_index(phase.quarter) < end for phase in phases(self.campus))
        return coming or self.place.site in ROOM_BY_HAND


def members(all_members: Sequence[Member], world: bool) -> list[Member]:
    """Campuses of `us-frontier`, or of `world-frontier`, that have room, by name of their site."""
    return sorted(
        (
            one
            for one in all_members
            if one.has_room
            and (one.place.region["country"] == HOME or (world and one.place.region["country"] != KEPT_OUT))
        ),
        key=lambda one: one.place.site,
    )


def portfolio_text(name: str, title: str, chosen: Sequence[Member], default: Mapping[str, Any]) -> str:
    """A portfolio file.

    Parameters: default, the portfolio `default` as plain data, whose supply is multiplied and whose money is taken.
    """
    document = {
        "format": "gigaplan-portfolio/1",
        "name": name,
        "title": title,
        "perspective": "provider",
        "start": START,
        "periods": PERIODS,
        "sites": [{"site": one.place.site, "provenance": _entry(one)} for one in chosen],
        "configurations": default["configurations"],
        "envelope": _envelope(),
        "supply": [_supply(entry) for entry in default["supply"]],
        "money": default["money"],
    }
    return yaml_text(_comment(), document)


def _comment() -> list[str]:
    return [
        "Written by `python -m sites.frontier`; change that, not this file.",
        "Campuses, power, dates: Epoch AI, Frontier Data Centers, CC BY 4.0 (epoch.ai/data/data-centers), edition of",
        "2026-08-22. Listed is every campus with buildings that come on after 2026-11-21; what runs by then is taken.",
        "Whose racks these are is not asked: all room counts as if it were one planner's.",
    ]


_GENERATED = {"status": "estimate", "source": f"{CITATION}: every building projected after {TODAY}"}
_BY_HAND = {"status": "assumption", "source": "Kept by hand: every building that the file marks available is ours"}


def _entry(one: Member) -> dict[str, str]:
    return _GENERATED if one.place.is_generated else _BY_HAND


def _envelope() -> dict[str, Any]:
    return {
        "basis": "meter",
        "steps": [{"start": START, "capacity": "100 GW"}],
        "provenance": {"status": "assumption", "source": "Above all sites together, so that their own services decide"},
    }


def _supply(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "system": entry["system"],
        "deliveries": [
            {"quarter": one["quarter"], "racks": one["racks"] * TIMES_DEFAULT} for one in entry["deliveries"]
        ],
        "provenance": {
            "status": "assumption",
            "source": f"{TIMES_DEFAULT} times what the portfolio default assumes for one site; no allocation is public",
        },
    }

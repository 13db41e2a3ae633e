"""Dates in service: the latest of five parts plus commissioning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sites.schema.building import Dates

_PARTS = ("utility", "equipment", "building", "permit", "network")


@dataclass(frozen=True)
class InService:
    """When a building opens and which part of its dates decides."""

    quarter: str
    binding_date: str
    modes: dict[str, str]
    """The most likely quarter of every part."""


def building_in_service(dates: Dates) -> InService:
    """The mode of the latest part plus commissioning; the first part named in the file wins a tie."""
    modes = {part: quarter_index(getattr(dates, part).mode) for part in _PARTS}
    binding_date = max(_PARTS, key=lambda part: modes[part])
    named = {part: quarter_name(mode) for part, mode in modes.items()}
    return InService(quarter_name(modes[binding_date] + dates.commissioning_quarters), binding_date, named)


def delayed(quarter: str, n_quarters: int) -> str:
    """The quarter `n_quarters` after this one."""
    return quarter_name(quarter_index(quarter) + n_quarters)


def latest(quarters: Iterable[str]) -> str:
    """The latest of some quarters."""
    return max(quarters, key=quarter_index)


def earliest(quarters: Iterable[str]) -> str:
    """The earliest of some quarters."""
    return min(quarters, key=quarter_index)

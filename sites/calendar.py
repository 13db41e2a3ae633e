"""Quarters: the dates that a plan knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import AfterValidator, StringConstraints

_QUARTER = re.compile(r"^(?P<year>\d{4})-Q(?P<quarter>[1-4])$")


def _checked(text: str) -> str:
    if _QUARTER.match(text) is None:
        msg = f"'{text}' is not a quarter; write for example 2027-Q1"
        raise ValueError(msg)
    return text


if TYPE_CHECKING:
    Quarter: TypeAlias = str
else:
    Quarter = Annotated[str, StringConstraints(strict=True), AfterValidator(_checked)]


def quarter_index(quarter: str) -> int:
    """Quarters since year 0, so that differences count quarters.

    Parameters: quarter, e.g. "2027-Q1". Raises ValueError when the text is not a quarter.
    """
    match = _QUARTER.match(quarter)
    if match is None:
        msg = f"'{quarter}' is not a quarter; write for example 2027-Q1"
        raise ValueError(msg)
    return int(match["year"]) * 4 + int(match["quarter"]) - 1


def is_quarter(text: str) -> bool:
    """Whether a text is a quarter."""
    return _QUARTER.match(text) is not None


def quarter_name(index: int) -> str:
    """The quarter with this number of quarters since year 0, e.g. "2027-Q1"."""
    return f"{index // 4:04d}-Q{index % 4 + 1}"


def quarters_from(start: str, n_quarters: int) -> tuple[str, ...]:
    """`n_quarters` consecutive quarters beginning with `start`."""
    first = quarter_index(start)
    return tuple(quarter_name(first + offset) for offset in range(n_quarters))

"""A limit over one window of periods, and the rule that turns exact shares into integer coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from planner.errors import InfeasibleError
from planner.problem import SHARE_BITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Coefficients = tuple[int, ...]
"""One integer for each configuration, scaled by 2^20."""


@dataclass(frozen=True)
class Row:
    """A row as limits see it: its number in the problem when racks may be placed, and what stands already."""

    row_idx: int | None


@dataclass(frozen=True)
class LimitName:
    """What a limit is about; `text` is its public name."""

    site: str
    family: str
    element: str
    detail: str | None = None
    """What fails (an element, a group, a pair), or the kind of port."""
    before_action: bool = False
    """Whether it holds right after the failure, before racks have shed and capped."""

    @property
    def text(self) -> str:
        """`site:family:element[:detail][:before]`."""
        tail = "" if self.detail is None else f":{self.detail}"
        return f"{self.site}:{self.family}:{self.element}{tail}{':before' if self.before_action else ''}"


@dataclass(frozen=True)
class Piece:
    """One limit over a window in which its shares do not change."""

    name: LimitName
    unit: str
    first_period: int
    coefficients: dict[int, Coefficients]
    """By row number of the problem."""
    capacity: tuple[int, ...]
    """One for each period of the window, scaled by 2^20."""
    standing_rows: frozenset[int]
    """Rows that exist in the window: a row among them without coefficients has none, any other one is still open."""

    @property
    def end_period(self) -> int:
        """One past the last period of the window."""
        return self.first_period + len(self.capacity)


def scaled_share(share: Fraction) -> int:
    """ceil(share · 2^20)."""
    return scaled_ratio(share.numerator, share.denominator)


def scaled_ratio(numerator: int, denominator: int) -> int:
    """ceil(numerator / denominator · 2^20)."""
    return -((-numerator << SHARE_BITS) // denominator)


def scaled_capacity(capacity: Fraction | int) -> int:
    """floor(capacity) · 2^20."""
    return floor(capacity) << SHARE_BITS


def weighted(shares: Sequence[Fraction], draws: Iterable[Sequence[int]]) -> Coefficients:
    """Σ_q ceil(share_q · 2^20) · draw[q, k] for every configuration k (section 4 of `docs/model.md`)."""
    scaled = [scaled_share(share) for share in shares]
    return tuple(sum(s * d for s, d in zip(scaled, draw, strict=True)) for draw in draws)


def checked_capacity(name: LimitName, unit: str, capacity: int, period: str) -> int:
    """A capacity that is left for the plan; raises InfeasibleError when what stands already exceeds it."""
    if capacity >= 0:
        return capacity
    over = Fraction(-capacity, 1 << SHARE_BITS)
    amount = f"{_amount(over)} {unit}"
    message = (
        f"limit '{name.text}' is exceeded by {amount} in {period} before anything is placed: racks that stand "
        "already and constant loads take more than it has; raise its capacity or lower the occupied racks"
    )
    raise InfeasibleError(message, name.text, amount)


def _amount(value: Fraction) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.3f}"

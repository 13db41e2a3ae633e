"""Cash by year for the report: bars around zero, the running sum, and the table by line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from planner.report.charts import Tick, axis
from planner.report.summary import Tile
from planner.report.words import dollars, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class CashBar:
    """One year's net cash as a bar from the zero line, in percent of the plot."""

    bottom: float
    height: float
    negative: bool
    title: str


@dataclass(frozen=True)
class CashTableLine:
    """One line of the table; `cells` by year, and the sum over all."""

    label: str
    cells: tuple[str, ...]
    total: str


@dataclass(frozen=True)
class CashView:
    """What the section shows."""

    years: tuple[str, ...]
    ticks: tuple[Tick, ...]
    zero: float
    """Height of the zero line in percent of the plot."""
    bars: tuple[CashBar, ...]
    running_path: str
    """SVG path over a 100 by 100 plot of the sum of all cash so far."""
    lines: tuple[CashTableLine, ...]
    net: CashTableLine
    tiles: tuple[Tile, ...]
    note: str


def cash_view(document: Mapping[str, Any]) -> CashView | None:
    """Gather the section; None where the plan moves no money.

    Parameters: document, the content of `plan.json`.
    """
    cash = document["cash"]
    if not cash["lines"]:
        return None
    # Racks that start in the last decision quarter live longest; where none does, the last years are empty.
    moving = [any(one["cents"][t] for one in cash["lines"]) for t in range(len(cash["quarters"]))]
    last = len(moving) - moving[::-1].index(True)
    years = list(dict.fromkeys(quarter[:4] for quarter in cash["quarters"][:last]))
    by_line: dict[str, list[int]] = {}
    for one in cash["lines"]:
        total = by_line.setdefault(one["line"], [0] * len(years))
        for index, cents in enumerate(_by_year(cash["quarters"], one["cents"], years)):
            total[index] += cents
    net = _by_year(cash["quarters"], cash["net_cents"], years)
    running = list(accumulate(net))
    scale = _Scale([*net, *running])
    return CashView(
        years=tuple(years),
        ticks=scale.ticks(),
        zero=scale.height(0),
        bars=tuple(
            _bar(scale, cents, f"{year}: {dollars(cents)}, {dollars(so_far)} so far")
            for year, cents, so_far in zip(years, net, running, strict=True)
        ),
        running_path=scale.path(running),
        lines=tuple(_table_line(label, cents) for label, cents in by_line.items()),
        net=_table_line("Net cash", net),
        tiles=_tiles(cash["measures"]),
        note=cash["measures"]["irr_note"],
    )


def _by_year(quarters: Sequence[str], cents: Sequence[int], years: Sequence[str]) -> list[int]:
    return [sum(c for quarter, c in zip(quarters, cents, strict=True) if quarter[:4] == year) for year in years]


class _Scale:
    """A vertical scale in billions of dollars that holds all values and zero."""

    def __init__(self, cents: Sequence[int]) -> None:
        self._axis = axis(max(abs(value) for value in cents) / 1e11, 3)
        self._bottom = -self._axis.top if min(cents) < 0 else 0.0
        self._top = self._axis.top if max(cents) > 0 else 0.0

    def height(self, cents: float) -> float:
        """Percent of the plot's height."""
        return round(100 * (cents / 1e11 - self._bottom) / max(self._top - self._bottom, 1e-12), 3)

    def ticks(self) -> tuple[Tick, ...]:
        """Grid lines below and above zero."""
        found = []
        for tick in self._axis.ticks:
            value = tick.height / 100 * self._axis.top
            if self._top:
                found.append(Tick(self.height(value * 1e11), tick.label))
            if self._bottom and value:
                found.append(Tick(self.height(-value * 1e11), f"−{tick.label}"))
        return tuple(sorted(found, key=lambda one: one.height))

    def path(self, cents: Sequence[int]) -> str:
        """A line through the middle of every year."""
        width = 100 / len(cents)
        points = [f"{(i + 0.5) * width:.3f} {100 - self.height(value):.3f}" for i, value in enumerate(cents)]
        return "M" + "L".join(points)


def _bar(scale: _Scale, cents: int, title: str) -> CashBar:
    zero, end = scale.height(0), scale.height(cents)
    return CashBar(min(zero, end), round(abs(end - zero), 3), cents < 0, title)


def _table_line(label: str, cents: Sequence[int]) -> CashTableLine:
    shown = tuple(dollars(value) if value else "" for value in cents)
    return CashTableLine(label[:1].upper() + label[1:], shown, dollars(sum(cents)))


def _tiles(measured: Mapping[str, Any]) -> tuple[Tile, ...]:
    payback, discounted = measured["payback_quarter"], measured["discounted_payback_quarter"]
    hour, megawatt = measured["cost_per_gpu_hour_usd"], measured["cost_per_megawatt_year_usd"]
    each = "–" if hour is None else f"${hour:,.2f}"
    return (
        Tile("Capital", dollars(measured["capital_cents"]), "", "racks, network, conversions, avoidable capex"),
        Tile("Internal rate of return", percent(measured["irr_per_year"]), "", "a year"),
        Tile("Paid back", payback or "never", "", f"discounted: {discounted or 'never'}"),
        Tile("Cost of a GPU-hour", each, "", "all costs over hours sold or worked"),
        Tile("Cost of a MW-year", "–" if megawatt is None else dollars(megawatt * 100), "", "of sustained rack power"),
    )  # fmt: skip

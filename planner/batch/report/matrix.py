"""Sites against scenarios: worth against the base scenario, the gap, and what failed; every cell leads to its plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.batch.dataset import FAILED, LEFT
from planner.batch.report.reasons import first_line
from planner.batch.summary import INFEASIBLE
from planner.report.words import dollars, gap_text, megawatts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.batch.report.content import Content, Place, Unit

MAX_COLUMNS = 24
"""Scenarios that a table has room for; more become distributions."""
_STATUS_WORDS = {FAILED: "failed", LEFT: "left", INFEASIBLE: "no plan"}
_STRONGEST = 0.55


@dataclass(frozen=True)
class MatrixCell:
    """One site under one scenario."""

    text: str
    note: str
    kind: str
    """`base`, `up`, `down`, `same`, or a status without a plan: `failed`, `left`, `infeasible`; `absent`: not asked."""
    strength: float
    """Of the colour, from 0 to 0.55."""
    title: str
    link: str | None


@dataclass(frozen=True)
class MatrixRow:
    """One site under all scenarios."""

    name: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True)
class Matrix:
    """The heat map."""

    scenarios: tuple[str, ...]
    base: str
    rows: tuple[MatrixRow, ...]


def matrix(content: Content, order: Sequence[Place]) -> Matrix | None:
    """The heat map; None where there are more scenarios than a table has room for.

    Parameters: order, in which places are listed.
    """
    if len(content.scenarios) > MAX_COLUMNS:
        return None
    units = {(unit.place, unit.scenario): unit for unit in content.units}
    rows = []
    for place in order:
        base = units.get((place, content.base))
        own = [units.get((place, scenario)) for scenario in content.scenarios]
        most = max((abs(_change(unit, base) or 0.0) for unit in own), default=0.0)
        rows.append(MatrixRow(content.name(place), tuple(_cell(unit, base, most) for unit in own)))
    return Matrix(content.scenarios, content.base, tuple(rows))


def _change(unit: Unit | None, base: Unit | None) -> float | None:
    """Cents against the base scenario; None where either is unknown."""
    if unit is None or base is None or unit.npv_cents is None or base.npv_cents is None:
        return None
    return float(unit.npv_cents - base.npv_cents)


def change_text(change_cents: float, base_cents: int) -> str:
    """A change in percent of what it is compared with; in dollars where that is 0 or the share beyond tenfold."""
    if change_cents == 0:
        return "±0"
    sign = "+" if change_cents > 0 else "−"
    share = abs(change_cents) / abs(base_cents) if base_cents else None
    if share is None or share >= 10:
        return f"{sign}{dollars(abs(change_cents))}"
    text = f"{share * 100:.{1 if share < 0.1 else 0}f}"
    return f"{sign}{text} %" if float(text) else f"{sign}<0.1 %"


def _cell(unit: Unit | None, base: Unit | None, most: float) -> MatrixCell:
    if unit is None:
        return MatrixCell("", "", "absent", 0.0, "not asked for", None)
    names = f"{unit.place.site}, {unit.scenario}"
    if not unit.has_plan or unit.npv_cents is None:
        word = _STATUS_WORDS.get(unit.status, unit.status)
        title = f"{names}: {first_line(unit.reason) or word}"
        return MatrixCell(word, "", unit.status, 0.0, title, unit.link)
    gap = "" if unit.gap is None else f"gap {gap_text(unit.gap)}"
    title = ", ".join(
        part for part in (f"{names}: {dollars(unit.npv_cents)}", f"{megawatts(unit.it_w or 0)} MW of IT", gap,
                          unit.status, "" if unit.verified else "not verified") if part
    )  # fmt: skip
    change = _change(unit, base)
    if base is None or unit is base or change is None or base.npv_cents is None:
        return MatrixCell(dollars(unit.npv_cents), gap, "base", 0.0, title, unit.link)
    kind = "up" if change > 0 else "down" if change < 0 else "same"
    # Half of the colour says how large the change is for its site, half how large a share it is of the base.
    share = min(1.0, abs(change) / abs(base.npv_cents)) if base.npv_cents else 1.0
    of_most = abs(change) / most if most else 0.0
    strength = round(_STRONGEST * (0.25 * of_most + 0.75 * share), 3)
    return MatrixCell(change_text(change, base.npv_cents), gap, kind, strength, title, unit.link)

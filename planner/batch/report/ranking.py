"""Sites in order of what they are worth, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.batch.report.reasons import limiting
from planner.report.words import count, dollars, gap_text, megawatts

if TYPE_CHECKING:
    from planner.batch.report.content import Content, Place, Unit


@dataclass(frozen=True)
class RankLine:
    """One site of the ranking; texts are a dash where the figure is unknown."""

    rank: int | None
    """None where there is no plan."""
    place: Place
    name: str
    unit: Unit
    share: float
    """Worth in percent of the largest."""
    worth: str
    per_mw: str
    mw: str
    racks: str
    gap: str
    energises: str
    limit: str
    dates: str
    sort: tuple[float | None, float | None, float | None, float | None, str]
    """Worth, worth per MW, MW, gap, first quarter."""

    @property
    def per_mw_cents(self) -> float | None:
        """Worth of a MW of IT power that stands in the last quarter."""
        return per_mw_cents(self.unit)


def representative(content: Content, place: Place) -> Unit:
    """The unit that stands for a place: under the base scenario, or the median of its samples by worth.

    Where there is neither, the first of its units.
    """
    own = content.of(place)
    of_base = [unit for unit in own if unit.origin == content.base] or own[:1]
    with_worth = sorted((u for u in of_base if u.npv_cents is not None), key=lambda u: (u.npv_cents or 0, u.scenario))
    return with_worth[(len(with_worth) - 1) // 2] if with_worth else of_base[0]


def per_mw_cents(unit: Unit) -> float | None:
    """Worth of a MW of IT power that stands in the last quarter; None where nothing stands."""
    if unit.npv_cents is None or not unit.it_w:
        return None
    return unit.npv_cents / (unit.it_w / 1e6)


def ranking(content: Content) -> tuple[RankLine, ...]:
    """All places, those worth most first, those without a plan last."""
    units = [(place, representative(content, place)) for place in content.places]
    units.sort(key=lambda one: (one[1].npv_cents is None, -(one[1].npv_cents or 0), one[0]))
    largest = max((abs(unit.npv_cents or 0) for _, unit in units), default=0)
    return tuple(_line(content, index + 1, place, unit, largest) for index, (place, unit) in enumerate(units))


def _line(content: Content, rank: int, place: Place, unit: Unit, largest: int) -> RankLine:
    limit, dates = limiting(content, unit)
    per_mw, it_mw = per_mw_cents(unit), None if unit.it_w is None else unit.it_w / 1e6
    return RankLine(
        rank=rank if unit.npv_cents is not None else None,
        place=place,
        name=content.name(place),
        unit=unit,
        share=round(100 * abs(unit.npv_cents or 0) / largest, 2) if largest else 0.0,
        worth="–" if unit.npv_cents is None else dollars(unit.npv_cents),
        per_mw="–" if per_mw is None else dollars(per_mw),
        mw="–" if unit.it_w is None else megawatts(unit.it_w),
        racks="–" if unit.n_racks is None else count(unit.n_racks),
        gap="–" if unit.gap is None else gap_text(unit.gap),
        energises=unit.first_quarter or "–",
        limit=limit,
        dates=dates,
        sort=(unit.npv_cents, per_mw, it_mw, unit.gap, unit.first_quarter or "9999"),
    )

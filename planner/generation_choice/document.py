"""The comparison as JSON: floats for people's tools, exact quotients as text where exactness is the point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.generation_choice.wording import UNITS, crossing_text, outcome_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from planner.generation_choice.choice import Choice, GridLine, LeverRange, Option, SpeedLine
    from planner.generation_choice.life import RackLife
    from planner.generation_choice.territories import Crossing, Outcome, Side
    from planner.generation_choice.thresholds import Threshold


def documents(found: Sequence[Choice]) -> list[dict[str, Any]]:
    """Every basis as one record."""
    return [_choice(one) for one in found]


def _choice(one: Choice) -> dict[str, Any]:
    money = one.book.portfolio.money
    return {
        "basis": one.basis.name,
        "title": one.basis.title,
        "model": one.basis.model,
        "unit": UNITS[one.basis.counts],
        "conditions": one.basis.conditions,
        "site": one.book.site.name,
        "energy_usd_per_mwh": float(one.energy_usd_per_mwh),
        "racks_start": one.lives[0].start,
        "economic_life_quarters": money.economic_life_quarters,
        "discount_rate_per_year": float(money.discount_rate_per_year),
        "racks": [_life(life) for life in one.lives],
        "curves": [
            {"system": c.system, "profile": c.profile, "software": c.software, "measured": c.measured}
            for c in one.basis.curves
            if c.system in {life.configuration.system.name for life in one.lives}
        ],
        "speeds": [_line(line) for line in one.lines],
        "outcomes": {
            str(key): _outcome(one.outcomes[key]) | {"says": outcome_sentence(one, key)} for key in one.criteria
        },
        "grid": [_grid(line) for line in one.grid],
        "ranges": [_range(line) for line in one.ranges],
    }


def _life(one: RackLife) -> dict[str, Any]:
    return {
        "configuration": one.configuration.name,
        "generation": one.generation,
        "rack_usd": float(one.rack_usd),
        "network_usd": float(one.network_usd),
        "energy_usd": float(one.energy_usd),
        "demand_usd": float(one.demand_usd),
        "upkeep_usd": float(one.upkeep_usd),
        "cost_usd": float(one.cost_usd),
        "facility_usd": _number(one.facility_usd),
        "energy_mwh": float(one.energy_mwh),
        "work_s": float(one.work_s),
        "meter_w": float(one.meter_w),
    }


def _line(one: SpeedLine) -> dict[str, Any]:
    return {
        "speed": _number(one.speed),
        "price_usd_per_million": _number(one.usd_per_million_price),
        "options": [_option(option) for option in one.options],
        "best": {str(key): name for key, name in one.best.items()},
        "thresholds": [_threshold(threshold) for threshold in one.thresholds],
        "rate_range": _range(one.rate_range),
    }


def _option(one: Option) -> dict[str, Any]:
    return {
        "configuration": one.life.configuration.name,
        "rate_per_s": float(one.rate.rate_per_s),
        "status": str(one.rate.status),
        "interpolated": one.interpolated,
        "software": one.rate.curve.software,
        "note": one.rate.note,
        "usd_per_million": float(one.usd_per_million),
        "facility_usd_per_million": _number(one.facility_usd_per_million),
        "units_per_megawatt_year": float(one.units_per_megawatt_year),
        "value_usd_per_megawatt_year": _number(one.value_usd_per_megawatt_year),
    }


def _threshold(one: Threshold) -> dict[str, Any]:
    return {
        "lever": str(one.lever),
        "criterion": str(one.criterion),
        "value": float(one.value),
        "below": one.below,
        "above": one.above,
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    return {
        "generations": list(one.generations),
        "crossings": [_crossing(crossing) for crossing in one.crossings],
        "territories": [
            {"start": float(t.start), "end": float(t.end), "contested": t.contested, **_side(t.side)}
            for t in one.territories
        ],
    }


def _crossing(one: Crossing) -> dict[str, Any]:
    return {
        "speed": float(one.speed),
        "speed_exactly": str(one.speed),
        "exact": one.exact,
        "jump": one.jump,
        "slower": _side(one.slower),
        "faster": _side(one.faster),
        "says": crossing_text(one),
    }


def _side(one: Side) -> dict[str, str]:
    return {
        "configuration": one.configuration,
        "generation": one.generation,
        "software": one.software,
        "points": one.segment,
    }


def _grid(one: GridLine) -> dict[str, Any]:
    return {
        "lever": str(one.lever),
        "value": float(one.value),
        "outcomes": {str(key): _outcome(outcome) for key, outcome in one.outcomes.items()},
        "batch": {str(key): name for key, name in one.batch.items()},
    }


def _range(one: LeverRange) -> dict[str, Any]:
    return {
        "lever": str(one.lever),
        "low": _number(one.low),
        "value": _number(one.value),
        "high": _number(one.high),
        "says": one.says,
    }


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)

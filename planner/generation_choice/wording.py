"""What comes out, in sentences and short texts."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from planner.generation_choice.criteria import Criterion
from planner.generation_choice.life import GRACE_BLACKWELL, TITLES, VERA_RUBIN
from planner.generation_choice.thresholds import Lever
from sites.schema.throughput import Counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from planner.generation_choice.choice import Choice, GridLine, LeverRange, SpeedLine
    from planner.generation_choice.territories import Crossing, Outcome
    from planner.generation_choice.thresholds import Threshold

LEVER_WORDS = {
    Lever.RACK_PRICE: "price of a Vera Rubin rack",
    Lever.ENERGY_PRICE: "price of energy",
    Lever.SLIP: "slip of Vera Rubin",
    Lever.RATE: "rate of Vera Rubin",
    Lever.TOKEN_PRICE: "price of tokens",
}
UNITS = {
    Counted.OUTPUT_TOKENS: "output tokens",
    Counted.TOTAL_TOKENS: "tokens, input included",
    Counted.SAMPLES: "samples",
    Counted.RELATIVE: "units of work",
}
_USUALLY_BEYOND = {
    Lever.RACK_PRICE: GRACE_BLACKWELL,
    Lever.SLIP: GRACE_BLACKWELL,
    Lever.RATE: VERA_RUBIN,
    Lever.TOKEN_PRICE: VERA_RUBIN,
}
"""Which generation is better beyond a threshold unless it is said."""
_FOR = {True: "", False: " for"}
"""`0.751x the rate`, but `7.79 M USD for the price`."""
SPEED_UNIT = "tokens/s/user"


def speed_text(speed: Fraction | None) -> str:
    """`67.93`, or `batch` where no user waits."""
    return "batch" if speed is None else f"{float(speed):.4g}"


def figure(value: float, digits: int = 4) -> str:
    """A number with some significant digits, thousands apart and no exponent."""
    if value == 0 or abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    decimals = digits - 1
    size = abs(value)
    while size >= 10 and decimals:
        size, decimals = size / 10, decimals - 1
    while size < 1 and decimals < 9:
        size, decimals = size * 10, decimals + 1
    return f"{value:,.{decimals}f}"


def outcome_text(outcome: Outcome) -> str:
    """`Grace Blackwell to 17.3, then Vera Rubin`; one name where the choice never flips."""
    names = [TITLES[name] for name in outcome.generations]
    if not names:
        return "–"
    parts = [f"{name} to {float(one.speed):.4g}" for name, one in zip(names, outcome.crossings, strict=False)]
    return ", then ".join([*parts, names[-1]])


def outcome_sentence(choice: Choice, criterion: Criterion) -> str:
    """What one criterion says over all speeds, with the ranges that were measured."""
    outcome = choice.outcomes[criterion]
    if not outcome.generations:
        return "No speed was measured on both generations; batch work only."
    end = max(one.end for one in outcome.territories if one.contested)
    if not outcome.crossings:
        return (
            f"{TITLES[outcome.generations[0]]} at every speed up to {float(end):.4g} {SPEED_UNIT}, the fastest "
            "measured on both: the choice never flips within the measured range, and nothing is extrapolated."
        )
    told = "; ".join(crossing_text(one) for one in outcome.crossings)
    return f"{outcome_text(outcome)}, as far as both were measured ({float(end):.4g} {SPEED_UNIT}): {told}."


def crossing_text(one: Crossing) -> str:
    """Where the choice flips, and between which measured points."""
    how = "where a curve ends" if one.jump else "exactly" if one.exact else "to 64 bits of its root"
    return (
        f"flips at {float(one.speed):.6g} {SPEED_UNIT} ({how}) from {one.slower.configuration} on its points "
        f"{one.slower.segment} to {one.faster.configuration} on its points {one.faster.segment}"
    )


def measured_ranges(choice: Choice) -> Iterator[str]:
    """`gb300-nvl72 from 13.01 to 67.93` for each configuration, in tokens/s/user."""
    for life in choice.lives:
        own = choice.by_configuration[life.configuration.name]
        name = life.configuration.name
        if not own:
            yield f"{name} offline only"
            continue
        speeds = [p.speed_tokens_per_s_user for one in own for p in one.curve.points]
        slowest = min(speed for speed in speeds if speed is not None)
        yield f"{name} from {float(slowest):.4g} to {float(own[-1].end):.4g}"


def threshold_text(choice: Choice, line: SpeedLine, threshold: Threshold) -> str:
    """`7.79 M USD*`, the star where the catalogue's range holds it; who is better beyond it where that is unusual."""
    known = next(one for one in (*choice.ranges, line.rate_range) if one.lever is threshold.lever)
    star = "*" if known.holds(threshold.value) else ""
    beyond = "" if _USUALLY_BEYOND.get(threshold.lever) == threshold.above else f", then {TITLES[threshold.above]}"
    return f"{_amount(threshold.lever, float(threshold.value))}{star}{beyond}"


def _amount(lever: Lever, value: float) -> str:
    """A value of a lever with its unit."""
    match lever:
        case Lever.RACK_PRICE:
            return f"{value / 1e6:.2f} M USD"
        case Lever.ENERGY_PRICE:
            return f"{value:.4g} USD/MWh"
        case Lever.SLIP:
            return f"{value:g} {'quarter' if value == 1 else 'quarters'}"
        case Lever.RATE:
            return f"{value:.3f}x"
        case Lever.TOKEN_PRICE:
            return f"{figure(value)} USD"


def range_text(known: LeverRange) -> str:
    """What the catalogue says that a lever may be."""
    if known.low is None or known.high is None:
        return f"{LEVER_WORDS[known.lever]}: {known.says}"
    low, high = (_amount(known.lever, float(value)) for value in (known.low, known.high))
    return f"{LEVER_WORDS[known.lever]} {low} to {high}, {known.says}"


def batch_sentence(choice: Choice, criterion: Criterion) -> str:
    """Which rack is best for batch work, by how much, and whether that is firm against the price of a rack."""
    line = next(one for one in choice.lines if one.speed is None)
    if not line.contested:
        return "Batch work: not measured on both generations."
    scores = {life.generation: min(_scores(line, criterion, life.generation)) for life in choice.lives}
    (first, best), (second, other) = sorted(((score, generation) for generation, score in scores.items()))
    if first[0] == second[0]:
        return f"Batch work: {first[1]} and {second[1]} are equal."
    if criterion is Criterion.VALUE:
        told = f"{-first[0] / 1e6:.2f} against {-second[0] / 1e6:.2f} M USD for a MW-year"
    else:
        told = f"{figure(first[0])} against {figure(second[0])} USD, {1 - first[0] / second[0]:.1%} less"
    sentence = f"Batch work: {TITLES[best]} ({first[1]}) before {TITLES[other]} ({second[1]}), {told}"
    if all(one.rate.points[0].speed is not None for one in line.options):
        sentence += "; no offline run was measured, so the best point with users stands for it"
    turns = [
        f"at {_amount(one.lever, float(one.value))}{_FOR[one.lever is Lever.RATE]} the {LEVER_WORDS[one.lever]}"
        for one in line.thresholds
        for known in (*choice.ranges, line.rate_range)
        if (one.criterion, one.lever) == (criterion, known.lever) and known.holds(one.value)
    ]
    if not turns:
        return f"{sentence}."
    return f"{sentence}; not settled, for it turns {' and '.join(turns)}, within the catalogue's range."


def _scores(line: SpeedLine, criterion: Criterion, generation: str) -> Iterator[tuple[float, str]]:
    """Score, less being better, and configuration, of every rack of a generation."""
    for one in line.options:
        if one.life.generation != generation:
            continue
        if criterion is Criterion.VALUE:
            yield -float(one.value_usd_per_megawatt_year or 0), one.life.configuration.name
            continue
        facility = one.facility_usd_per_million if criterion is Criterion.COST_WITH_FACILITY else None
        yield float(one.usd_per_million + (facility or 0)), one.life.configuration.name


def window_sentence(choice: Choice, criterion: Criterion) -> str | None:
    """Prices of a Vera Rubin rack at which batch work is Grace Blackwell's and every speed Vera Rubin's, if any."""
    lines = [line for line in choice.lines if line.contested]
    batch = next((rack_price_flip(line, criterion) for line in lines if line.speed is None), None)
    timed = [rack_price_flip(line, criterion) for line in lines if line.speed is not None]
    known = [flip for flip in timed if flip is not None]
    if batch is None or len(known) < len(timed) or min(known, default=batch) <= batch:
        return None
    return (
        f"Between {float(batch) / 1e6:.2f} and {float(min(known)) / 1e6:.2f} M USD for a Vera Rubin rack, batch work "
        "belongs on Grace Blackwell and every listed speed on Vera Rubin."
    )


def rack_price_flip(line: SpeedLine, criterion: Criterion) -> Fraction | None:
    """Price of a Vera Rubin rack above which Grace Blackwell is better at a speed; None where there is none."""
    return next(
        (one.value for one in line.thresholds if one.lever is Lever.RACK_PRICE and one.criterion is criterion), None
    )


def grid_lines(choice: Choice) -> list[tuple[str, ...]]:
    """What is changed, and for cost and value in turn: the better generation for batch work, and over speed.

    Neighbouring steps of one lever with the same outcome share a line.
    """
    found: list[tuple[str, ...]] = []
    for _, group in groupby(choice.grid, key=lambda line: (line.lever, _outcome_cells(line))):
        steps = list(group)
        found.append((_steps_text(steps), *_outcome_cells(steps[0])))
    return found


def _outcome_cells(line: GridLine) -> tuple[str, ...]:
    cells: list[str] = []
    for criterion, outcome in line.outcomes.items():
        batch = line.batch.get(criterion)
        cells += ["–" if batch is None else TITLES[batch], outcome_text(outcome)]
    return tuple(cells)


def _steps_text(steps: Sequence[GridLine]) -> str:
    """`energy at 20 to 200 USD/MWh`."""
    lever, sign = steps[0].lever, "+" if steps[0].lever is Lever.RACK_PRICE else ""
    ends = [f"{float(one.value):{sign}g}" for one in (steps[0], steps[-1])]
    span = " to ".join(dict.fromkeys(ends)).replace("-", "−")
    if lever is Lever.ENERGY_PRICE:
        return f"energy at {span} USD/MWh"
    if lever is Lever.SLIP:
        return f"Vera Rubin {span} quarters later"
    return f"Vera Rubin rack {span} %".replace("+0 %", "±0 %")

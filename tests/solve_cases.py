"""Small random problems for the solver's tests, and the rules of a plan in plain integers.

The rules are written out here once more, from the published model, so that no test judges the solver by its own code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE, LimitInfo, MinimumDemand, Problem
from planner.solve.certificate import Certificate, certificate
from planner.solve.classes import refine
from planner.solve.options import SolveOptions
from planner.solve.patterns import limits_inside_blocks, row_patterns
from planner.solve.relaxation import relax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from planner.solve.patterns import RowPatterns

ONE = 2**20
RACK_CENTS = 300_000_000
"""What a rack costs and earns is of this order, as on a campus."""
QUICK = SolveOptions(work_limit=1000)


@dataclass(frozen=True)
class Size:
    """Largest numbers of things in a random problem."""

    n_blocks: int = 3
    n_rows_of_block: int = 2
    n_systems: int = 2
    n_periods: int = 3


FULL_SIZE = Size(n_blocks=6, n_rows_of_block=3, n_systems=3, n_periods=4)


def random_problem(seed: int, size: Size = Size()) -> Problem:
    """A valid problem: blocks in a few repeated layouts, capacities that change over time, every kind of cost.

    A third of the seeds have no contract; a block may allow part units, or not.
    """
    random = np.random.default_rng(seed)
    n_blocks = int(random.integers(2, size.n_blocks + 1))
    n_periods = int(random.integers(2, size.n_periods + 1))
    n_profiles = random.integers(1, 3, int(random.integers(1, size.n_systems + 1)))
    layout_of_block = random.integers(0, 2, n_blocks)
    rows_of_layout = random.integers(1, size.n_rows_of_block + 1, 2)
    block_of_row = np.repeat(np.arange(n_blocks), rows_of_layout[layout_of_block])
    place = np.concatenate([np.arange(rows_of_layout[layout]) for layout in layout_of_block])
    layout_row = layout_of_block[block_of_row] * size.n_rows_of_block + place
    system_of = np.repeat(np.arange(n_profiles.size), n_profiles)
    return Problem(
        row_names=tuple(f"toy:b{block}/r{number}" for number, block in enumerate(block_of_row)),
        configuration_names=tuple(f"system-{system}/profile-{k}" for k, system in enumerate(system_of)),
        system_names=tuple(f"system-{system}" for system in range(n_profiles.size)),
        block_names=tuple(f"toy:b{block}" for block in range(n_blocks)),
        periods=tuple(f"2027-Q{t + 1}" for t in range(n_periods)),
        system_of_configuration_idx=system_of.astype(np.int32),
        block_of_row_idx=block_of_row.astype(np.int32),
        **_limits(random, block_of_row, layout_row, system_of, n_periods),
        **_eligibility_and_values(random, layout_row, system_of, n_periods),
        **_costs(random, layout_of_block, n_profiles.size, n_periods),
        contract_amount=0 if seed % 3 == 0 else int(random.integers(1, 6)) * RACK_CENTS // 7,
        contract_rate=-np.sort(-random.integers(0, ONE // 2, n_periods)),
        ineligible=(),
    )


def _limits(
    random: np.random.Generator,
    block_of_row: NDArray[np.int64],
    layout_row: NDArray[np.int64],
    system_of: NDArray[np.int64],
    n_periods: int,
) -> dict[str, Any]:
    """Positions of every row, a tap of every row, power over some rows, power over all, supply of every system."""
    n_rows, n_configurations = block_of_row.size, system_of.size
    watts = random.integers(80_000, 240_000, n_configurations) * ONE + random.integers(0, ONE, n_configurations)
    positions, taps = random.integers(2, 5, 6), random.uniform(1.2, 4.5, 6) * watts.max()
    found: list[tuple[str, NDArray[np.int64], NDArray[np.int64]]] = []
    for row in range(n_rows):
        own = np.arange(n_rows)[:, None] == row
        found.append((f"position:r{row}", np.full(n_periods, positions[layout_row[row]] * ONE), own * ONE))
        found.append((f"tap:r{row}", np.full(n_periods, int(taps[layout_row[row]])), own * watts))
    for number in range(int(random.integers(1, 4))):
        share = random.integers(1, 4, (n_rows, 1)) * (random.random((n_rows, 1)) < 0.6)
        found.append((f"power:e{number}", _growing(random, n_periods, share * watts // 3), share * watts // 3))
    everywhere = np.ones((n_rows, 1), np.int64)
    found.append(("meter:service", _growing(random, n_periods, everywhere * watts), everywhere * watts))
    for system in range(int(system_of.max()) + 1):
        delivered = np.cumsum(random.integers(0, n_rows + 1, n_periods)) * ONE
        found.append((f"supply:s{system}", delivered, everywhere * (system_of == system) * ONE))
    shape = (n_rows, n_configurations)
    return limit_arrays([(name, capacity, np.broadcast_to(load, shape)) for name, capacity, load in found])


def limit_arrays(limits: list[tuple[str, NDArray[np.int64], NDArray[np.int64]]]) -> dict[str, Any]:
    """The problem's arrays of limits given as (name, capacity [n_periods], load [n_rows, n_configurations])."""
    kept = [(name, capacity, load, np.flatnonzero(load.any(axis=1))) for name, capacity, load in limits]
    kept = [limit for limit in kept if limit[3].size]
    infos = []
    for name, *_ in kept:
        family, element = name.split(":")
        infos.append(LimitInfo(f"toy:{name}", "toy", family, element, None, "W"))
    return {
        "limits": tuple(infos),
        "limit_ptr": np.cumsum([0, *(rows.size for *_, rows in kept)]).astype(np.int64),
        "entry_row_idx": np.concatenate([rows for *_, rows in kept]).astype(np.int32),
        "entry_coefficient": np.concatenate([load[rows] for _, _, load, rows in kept]).astype(np.int64),
        "capacity": np.array([capacity for _, capacity, *_ in kept], np.int64),
    }


def _growing(random: np.random.Generator, n_periods: int, load: NDArray[np.int64]) -> NDArray[np.int64]:
    """Capacities that mostly grow, may fall once, and may not exist at first."""
    most = max(int(load.max(axis=1).sum()) * 3, ONE)
    capacity = np.sort(random.integers(most // 6, most, n_periods))
    if random.random() < 0.2:
        capacity[-1] = capacity[-1] * 9 // 10
    if random.random() < 0.3:
        capacity[0] = INACTIVE
    return capacity


def _eligibility_and_values(
    random: np.random.Generator, layout_row: NDArray[np.int64], system_of: NDArray[np.int64], n_periods: int
) -> dict[str, Any]:
    n_configurations, n_systems = system_of.size, int(system_of.max()) + 1
    first = random.integers(0, n_periods + 1, (6, n_configurations)) * (random.random((6, n_configurations)) < 0.3)
    shape = (6, n_configurations, n_periods)
    revenue = random.integers(RACK_CENTS // 12, RACK_CENTS // 4, shape)
    return {
        "first_period": first[layout_row].astype(np.int32),
        "period_value": (revenue * 9 // 10 - random.integers(0, RACK_CENTS // 8, shape))[layout_row],
        "contract_revenue": revenue[layout_row],
        "start_value": -random.integers(-RACK_CENTS // 3, RACK_CENTS // 3, (6, n_systems, n_periods))[layout_row],
    }


def _costs(
    random: np.random.Generator, layout_of_block: NDArray[np.int64], n_systems: int, n_periods: int
) -> dict[str, Any]:
    return {
        "open_cost": random.integers(0, RACK_CENTS // 4, (2, n_periods))[layout_of_block],
        "unit_cost": random.integers(0, RACK_CENTS // 8, (2, n_systems, n_periods))[layout_of_block],
        "unit_racks": random.integers(2, 4, n_systems).astype(np.int64),
        "partial_units": (random.random(2) < 0.6)[layout_of_block],
    }


def changed(problem: Problem, **fields: Any) -> Problem:
    """The problem with other values in some fields."""
    return replace(problem, **fields)


def with_limits_reordered(problem: Problem, order: NDArray[np.int64]) -> Problem:
    """The same limits, the one at order[i] now in place i."""
    entries = [np.arange(problem.limit_ptr[limit], problem.limit_ptr[limit + 1]) for limit in order]
    flat = np.concatenate(entries)
    return changed(
        problem,
        limits=tuple(problem.limits[limit] for limit in order),
        limit_ptr=np.cumsum([0, *(own.size for own in entries)]).astype(np.int64),
        entry_row_idx=problem.entry_row_idx[flat],
        entry_coefficient=problem.entry_coefficient[flat],
        capacity=problem.capacity[order],
    )


def with_rows_reordered(problem: Problem, order: NDArray[np.int64]) -> Problem:
    """The same rows, the one at order[i] now in place i; entries stay ascending within a limit."""
    place = np.argsort(order)
    entry_row = place[problem.entry_row_idx]
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    entries = np.lexsort((entry_row, limit_of_entry))
    return changed(
        problem,
        row_names=tuple(problem.row_names[row] for row in order),
        block_of_row_idx=problem.block_of_row_idx[order],
        first_period=problem.first_period[order],
        entry_row_idx=entry_row[entries].astype(np.int32),
        entry_coefficient=problem.entry_coefficient[entries],
        period_value=problem.period_value[order],
        contract_revenue=problem.contract_revenue[order],
        start_value=problem.start_value[order],
    )


def other_names(problem: Problem) -> Problem:
    """The same problem with every name in reverse alphabetical order."""

    def renamed(kind: str, n: int) -> tuple[str, ...]:
        return tuple(f"{kind}-{n - index:03}" for index in range(n))

    limits = tuple(
        replace(info, name=f"other:{info.family}:{name}", element=name, site="other")
        for info, name in zip(problem.limits, renamed("element", problem.n_limits), strict=True)
    )
    return changed(
        problem,
        limits=limits,
        row_names=renamed("other:row", problem.n_rows),
        block_names=renamed("other:block", problem.n_blocks),
        system_names=renamed("system", problem.n_systems),
        configuration_names=renamed("configuration", problem.n_configurations),
    )


def with_minimum_demands(problem: Problem, seed: int) -> Problem:
    """The same problem whose blocks stand at two sites by turns, each with a tariff's minimum that changes over time.

    What all racks at one place would draw is the scale of a minimum; prices are of the order of what a rack earns.
    """
    random = np.random.default_rng(seed)
    n_periods, n_configurations = problem.n_periods, problem.n_configurations
    demands = []
    for number, site in enumerate(("toy", "twin")):
        rows = np.flatnonzero(problem.block_of_row_idx % 2 == number)
        watts = random.integers(80_000, 240_000, n_configurations) * ONE + random.integers(0, ONE, n_configurations)
        minimum_w = random.integers(0, 2 * 240_000 * max(rows.size, 1), n_periods)
        charge = Fraction(int(random.integers(1, 300)), 7)
        demands.append(
            MinimumDemand(
                site=site,
                row_idx=tuple(rows.tolist()),
                draw_scaled=tuple(watts.tolist()),
                minimum_w=tuple(minimum_w.tolist()),
                price_cents_per_w=tuple(charge * Fraction(math.pow(1.1, -t / 4)) for t in range(n_periods)),
            )
        )
    return changed(problem, minimum_demands=tuple(demands))


def tiny_problem(seed: int, *, partial_units: bool, n_profiles: int = 2, contract: bool = True) -> Problem:
    """One block of two rows over two periods and one system, small enough to list every plan."""
    random = np.random.default_rng(seed)
    shape = (2, n_profiles, 2)
    load = random.integers(3, 9, (2, n_profiles)) * ONE
    own = [np.where(np.arange(2)[:, None] == row, ONE, 0) * np.ones((2, n_profiles), np.int64) for row in range(2)]
    meter = np.sort(random.integers(10, 28, 2)) * ONE
    if seed % 4 == 0:
        meter[0] = INACTIVE
    taps = [np.where(np.arange(2)[:, None] == row, load, 0) for row in range(2)]
    problem = random_problem(seed)
    return changed(
        problem,
        row_names=("toy:r0", "toy:r1"),
        configuration_names=tuple(f"s/{k}" for k in range(n_profiles)),
        system_names=("s",),
        block_names=("toy:b",),
        periods=("2027-Q1", "2027-Q2"),
        system_of_configuration_idx=np.zeros(n_profiles, np.int32),
        block_of_row_idx=np.zeros(2, np.int32),
        first_period=random.integers(0, 2, (2, n_profiles)).astype(np.int32) * (seed % 2),
        period_value=random.integers(-40, 120, shape),
        contract_revenue=random.integers(0, 150, shape),
        start_value=random.integers(-60, 60, (2, 1, 2)),
        open_cost=random.integers(0, 90, (1, 2)),
        unit_cost=random.integers(0, 60, (1, 1, 2)),
        unit_racks=np.array([2]),
        partial_units=np.array([partial_units]),
        contract_amount=200 if contract else 0,
        contract_rate=np.array([ONE // 2, ONE // 3]),
        **limit_arrays(
            [
                ("position:r0", np.full(2, 3 * ONE), own[0]),
                ("position:r1", np.full(2, 2 * ONE), own[1]),
                ("tap:r0", np.full(2, 14 * ONE), taps[0]),
                ("meter:service", meter, load),
            ]
        ),
    )


def proof_of(problem: Problem) -> tuple[RowPatterns, Certificate]:
    """Patterns and the relaxation's multipliers."""
    patterns = row_patterns(problem)
    return patterns, certificate(problem, relax(problem, patterns, refine(problem)))


def random_certificate(problem: Problem, seed: int, largest_bits: int) -> Certificate:
    """Any non-negative multipliers, half of them 0, on limits of one row too."""
    random = np.random.default_rng(seed)

    def draw(*shape: int, bits: int) -> NDArray[np.int64]:
        size = 2 ** random.uniform(0, bits, shape)
        return (size * (random.random(shape) < 0.5)).astype(np.int64)

    of_rows = (problem.n_rows, problem.n_systems, problem.n_periods)
    of_blocks = (problem.n_blocks, problem.n_systems, problem.n_periods)
    starts = np.arange(problem.n_periods) > 0
    limit = draw(problem.n_limits, problem.n_periods, bits=largest_bits)
    inside = draw(problem.n_limits, problem.n_systems, problem.n_periods, bits=largest_bits)
    inside *= problem.capacity[:, None, :] != INACTIVE
    return Certificate(
        limit=np.where(problem.capacity == INACTIVE, 0, limit),
        inside={int(n): inside[n].astype(object) for n in np.flatnonzero(limits_inside_blocks(problem) >= 0)},
        monotone=draw(*of_rows, bits=largest_bits) * starts,
        opening=draw(*of_blocks, bits=largest_bits) * starts,
        units=draw(*of_blocks, bits=largest_bits) * starts,
        contract_period=draw(problem.n_periods, bits=31),
        contract_amount=int(draw(1, bits=31)[0]),
        demand=tuple(
            tuple(int(price * int(part)) for price, part in zip(one.price_cents_per_w, parts, strict=True))
            for one, parts in zip(
                problem.minimum_demands, draw(len(problem.minimum_demands), problem.n_periods, bits=30), strict=True
            )
        ),
    )


def broken_rules(problem: Problem, n_racks: NDArray[np.integer[Any]]) -> list[str]:
    """Every rule of section 6 and limit of section 4 that a plan breaks, counted in Python integers."""
    racks = n_racks.astype(object)
    found = ["a negative count"] if (racks < 0).any() else []
    periods = np.arange(problem.n_periods)
    if racks[periods < problem.first_period[:, :, None]].any():
        found.append("a rack before its first period")
    members = [problem.system_of_configuration_idx == system for system in range(problem.n_systems)]
    standing = np.stack([racks[:, own].sum(axis=1) for own in members], axis=1)
    if (standing[:, :, 1:] < standing[:, :, :-1]).any():
        found.append("racks taken away")
    for block in range(problem.n_blocks):
        held = standing[problem.block_of_row_idx == block].sum(axis=0)
        if (held.sum(axis=1) > 0).sum() > 1:
            found.append(f"two systems in block {block}")
        if not problem.partial_units[block] and (held % problem.unit_racks[:, None].astype(object)).any():
            found.append(f"a part unit in block {block}")
    for limit, info in enumerate(problem.limits):
        for period in np.flatnonzero(problem.capacity[limit] != INACTIVE):
            load = 0
            for entry in range(problem.limit_ptr[limit], problem.limit_ptr[limit + 1]):
                row = problem.entry_row_idx[entry]
                pairs = zip(problem.entry_coefficient[entry], racks[row, :, period], strict=True)
                load += sum(int(coefficient) * int(count) for coefficient, count in pairs)
            if load > int(problem.capacity[limit, period]):
                found.append(f"{info.name} in period {period}")
    return found


def all_points(problem: Problem, row: int, system: int, period: int) -> list[tuple[int, ...]]:
    """Every integer point of one row and system, tested against every limit with all other rows empty."""
    members = np.flatnonzero(problem.system_of_configuration_idx == system)
    members = [int(k) for k in members if problem.first_period[row, k] <= period]
    found = []
    for counts in product(range(7), repeat=len(members)):
        point = [0] * problem.n_configurations
        for configuration, count in zip(members, counts, strict=True):
            point[configuration] = count
        if _fits_alone(problem, row, period, point):
            found.append(tuple(point))
    return found


def _fits_alone(problem: Problem, row: int, period: int, point: list[int]) -> bool:
    for limit in range(problem.n_limits):
        if problem.capacity[limit, period] == INACTIVE:
            continue
        for entry in range(problem.limit_ptr[limit], problem.limit_ptr[limit + 1]):
            if problem.entry_row_idx[entry] == row:
                load = sum(int(c) * n for c, n in zip(problem.entry_coefficient[entry], point, strict=True))
                if load > int(problem.capacity[limit, period]):
                    return False
    return True


def all_plans(problem: Problem) -> Iterator[NDArray[np.int64]]:
    """Every plan of a tiny problem of one system, row by row and period by period, that keeps every rule."""
    places = [(row, period) for row in range(problem.n_rows) for period in range(problem.n_periods)]
    choices = [
        [point for system in range(problem.n_systems) for point in all_points(problem, row, system, period)]
        for row, period in places
    ]
    for points in product(*choices):
        n_racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int64)
        for (row, period), point in zip(places, points, strict=True):
            n_racks[row, :, period] = point
        if not broken_rules(problem, n_racks):
            yield n_racks


def with_windows(problem: Problem, seed: int) -> Problem:
    """The same problem with a last system that is refreshed once: one or two configurations before, none, one or two.

    Draws and values of its configurations are those of the others, drawn anew; while down it takes its place only.
    """
    random = np.random.default_rng(seed)
    n_before, n_after = (int(n) for n in random.integers(1, 3, 2))
    n_periods = problem.n_periods
    begin = int(random.integers(1, n_periods))
    end = min(begin + int(random.integers(0, 2)), n_periods - 1)
    windows = [(0, begin)] * n_before + ([(begin, end)] if end > begin else []) + [(end, n_periods)] * n_after
    source = random.integers(0, problem.n_configurations, len(windows))
    is_down = np.array([window == (begin, end) for window in windows])
    periods = np.arange(n_periods)
    first = np.minimum(problem.first_period[:, source[0]], begin - 1)[:, None]
    first = np.maximum(first, np.array([window[0] for window in windows])).astype(np.int32)
    shut = [(periods < window[0]) | (periods >= window[1]) for window in windows]
    closed = np.zeros((problem.n_rows, problem.n_configurations + len(windows), n_periods), np.bool_)
    closed[:, problem.n_configurations :] = shut
    position = np.array([info.family == "position" for info in problem.limits])
    kept = ~is_down | np.repeat(position, np.diff(problem.limit_ptr))[:, None]
    own = problem.system_of_configuration_idx[source[0]]
    supply = np.array([info.name == f"toy:supply:s{own}" for info in problem.limits])
    more = np.where(kept, problem.entry_coefficient[:, source], 0)
    more[np.repeat(supply, np.diff(problem.limit_ptr))] = ONE
    scale = random.uniform(0.8, 1.3, (1, len(windows), 1)) * ~is_down[None, :, None]
    return changed(
        problem,
        configuration_names=(*problem.configuration_names, *(f"refresh/{n}" for n in range(len(windows)))),
        system_names=(*problem.system_names, "refresh"),
        system_of_configuration_idx=np.append(
            problem.system_of_configuration_idx, np.full(len(windows), problem.n_systems)
        ).astype(np.int32),
        first_period=np.concatenate((problem.first_period, first), axis=1),
        entry_coefficient=np.concatenate((problem.entry_coefficient, more), axis=1),
        period_value=np.concatenate(
            (problem.period_value, (problem.period_value[:, source] * scale).astype(np.int64)), axis=1
        ),
        contract_revenue=np.concatenate(
            (problem.contract_revenue, (problem.contract_revenue[:, source] * scale).astype(np.int64)), axis=1
        ),
        start_value=np.concatenate((problem.start_value, problem.start_value[:, [own]]), axis=1),
        unit_cost=np.concatenate((problem.unit_cost, problem.unit_cost[:, [own]]), axis=1),
        unit_racks=np.append(problem.unit_racks, problem.unit_racks[own]),
        minimum_demands=tuple(
            replace(
                one,
                draw_scaled=(
                    *one.draw_scaled,
                    *(0 if down else one.draw_scaled[k] for k, down in zip(source, is_down, strict=True)),
                ),
            )
            for one in problem.minimum_demands
        ),
        closed=closed,
    )


def shaken(problem: Problem, seed: int) -> Problem:
    """Other capacities, first periods, values and contract, that tell members of classes apart."""
    random = np.random.default_rng(seed)

    def scaled(values: NDArray[np.int64], low: float, high: float) -> NDArray[np.int64]:
        return np.floor(values * random.uniform(low, high)).astype(np.int64)

    active = problem.capacity != INACTIVE
    late = random.integers(0, 2, (problem.n_rows, 1))
    return changed(
        problem,
        capacity=np.where(active, scaled(problem.capacity, 0.7, 1.1), INACTIVE),
        first_period=np.minimum(problem.first_period + late, problem.n_periods).astype(np.int32),
        period_value=scaled(problem.period_value, 0.9, 1.1),
        start_value=scaled(problem.start_value, 0.95, 1.05),
        contract_revenue=scaled(problem.contract_revenue, 0.9, 1.1),
        contract_amount=int(problem.contract_amount * random.uniform(0.5, 1.5)),
    )


def scenarios_of(problem: Problem, seed: int, n_scenarios: int = 3) -> list[Problem]:
    return [shaken(problem, 100 * seed + number) for number in range(n_scenarios)]

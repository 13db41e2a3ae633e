"""Many scenarios together: the same rules, exact values and valid bounds as of one alone, and what they share."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solve_cases import (
    FULL_SIZE,
    ONE,
    broken_rules,
    changed,
    proof_of,
    random_certificate,
    random_problem,
    scenarios_of,
    with_minimum_demands,
)

from planner.bench.campus import CampusSize, write_campus
from planner.bench.scenarios import draw_scenario, run_scenarios
from planner.lower import lower
from planner.problem import INACTIVE, Plan, Problem
from planner.solve.batch import learn, solve_batch
from planner.solve.certificate import Certificate, bound_cents
from planner.solve.class_bound import ClassBound
from planner.solve.classes import Classes, equitable, joined_rows, refine, refine_together
from planner.solve.feasible import holds
from planner.solve.fillings import Filling, Fillings
from planner.solve.options import SolveOptions
from planner.solve.packing import effective_values
from planner.solve.patterns import PatternBook, row_patterns
from planner.solve.residues import larger, largest, of_int64, of_whole
from planner.solve.rounding import BALANCES, flips, nearest_ends, whole_ends, whole_starts, whole_units
from planner.solve.scenario import BatchOptions
from planner.solve.solve import solve
from planner.solve.value import objective_cents
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path


SEEDS = range(12)
ALONE = BatchOptions(n_processes=1, n_probes=2, most_rounds=6, gap=0.0, backend="numpy")
large = st.integers(-(2**96), 2**96)


# Large whole numbers in bulk


@given(st.lists(st.tuples(large, large, st.integers(-1000, 1000)), min_size=1, max_size=20))
def test_residues_are_the_whole_numbers(triples: list[tuple[int, int, int]]) -> None:
    first, second = (of_whole(np.array([triple[place] for triple in triples], object)) for place in (0, 1))
    factor = np.array([triple[2] for triple in triples], np.int64)
    assert first.whole() == [a for a, _, _ in triples]
    assert first.plus(second).whole() == [a + b for a, b, _ in triples]
    assert first.minus(second).whole() == [a - b for a, b, _ in triples]
    assert first.times(factor).whole() == [a * k for a, _, k in triples]
    assert larger(first, second).whole() == [max(a, b) for a, b, _ in triples]
    assert largest(first).whole() == [max(a for a, _, _ in triples)]


@given(large, st.integers(-3, 3))
def test_residues_tell_neighbours_apart(number: int, step: int) -> None:
    pair = [of_whole(np.array([value], object)) for value in (number, number + step)]
    assert larger(*pair).whole() == [max(number, number + step)]


def test_residues_of_an_integer_array_are_its_numbers() -> None:
    values = np.array([-(2**62), -1, 0, 1, 2**62], np.int64)
    assert of_int64(values).whole() == values.tolist()


# Classes


@pytest.mark.parametrize("seed", SEEDS)
def test_classes_of_several_problems_are_alike_in_each(seed: int) -> None:
    base = random_problem(seed, FULL_SIZE)
    scenarios = scenarios_of(base, seed)
    classes = refine_together((base, *scenarios))
    assert equitable(base, classes)
    for problem in (base, *scenarios):
        own = refine(problem)
        for shared, alone in ((classes.row, own.row), (classes.limit, own.limit), (classes.block, own.block)):
            assert len(np.unique(np.column_stack((shared, alone)), axis=0)) == np.unique(shared).size


def test_a_scenario_that_tells_two_rows_apart_splits_their_class() -> None:
    base = next(p for p in (random_problem(seed, FULL_SIZE) for seed in range(40)) if refine(p).counts[0] < p.n_rows)
    row = refine(base).row
    twin = int(np.flatnonzero(row == row[np.flatnonzero(np.bincount(row)[row] > 1)[0]])[0])
    value = base.period_value.copy()
    value[twin] += 1
    classes = refine_together((base, changed(base, period_value=value)))
    assert np.count_nonzero(classes.row == classes.row[twin]) == 1
    assert classes.counts[0] > refine(base).counts[0]


def test_a_partition_of_unlike_members_is_not_equitable() -> None:
    base = random_problem(3, FULL_SIZE)
    classes = refine(base)
    for name in ("row", "limit", "block"):
        lumped = Classes(
            **{part: getattr(classes, part) for part in ("row", "limit", "block")}
            | {name: np.zeros_like(getattr(classes, name))}
        )
        assert classes.counts[("row", "limit", "block").index(name)] == 1 or not equitable(base, lumped)


@pytest.mark.parametrize("seed", SEEDS)
def test_joined_rows_hold_the_same_racks_at_the_same_values(seed: int) -> None:
    base = random_problem(seed, FULL_SIZE)
    classes, patterns = refine(base), row_patterns(base)
    joined = joined_rows((base,), classes, patterns)
    assert joined.counts[0] <= classes.counts[0]
    for number in range(joined.counts[0]):
        rows = np.flatnonzero(joined.row == number)
        for data in (patterns.pattern_set_idx, base.period_value, base.first_period):
            assert (data[rows] == data[rows[:1]]).all()
        assert np.unique(classes.block[base.block_of_row_idx[rows]]).size == 1


# Patterns


@pytest.mark.parametrize("seed", SEEDS)
def test_patterns_of_one_row_for_each_class_are_those_of_all(seed: int) -> None:
    base = random_problem(seed, FULL_SIZE)
    scenarios = scenarios_of(base, seed)
    classes, book = refine_together((base, *scenarios)), PatternBook()
    for problem in (base, *scenarios):
        alone, shared = row_patterns(problem), row_patterns(problem, book=book, row_class=classes.row)
        assert (alone.most_racks == shared.most_racks).all()
        for place in np.ndindex(alone.pattern_set_idx.shape):
            one, other = alone.pattern_set_idx[place], shared.pattern_set_idx[place]
            assert (one < 0) == (other < 0)
            assert one < 0 or np.array_equal(alone.point_sets[one], shared.point_sets[other])


# The bound


def within_classes(proof: Certificate, classes: Classes) -> Certificate:
    """Multipliers of the first member of each class, for all of it."""
    first = {name: np.unique(getattr(classes, name), return_index=True)[1] for name in ("row", "limit", "block")}
    alike = {limit: int(first["limit"][own]) for limit, own in enumerate(classes.limit)}
    return changed(
        proof,  # type: ignore[arg-type]
        inside={limit: proof.inside[one] for limit, one in alike.items() if one in proof.inside},
        limit=proof.limit[first["limit"]][classes.limit],
        monotone=proof.monotone[first["row"]][classes.row],
        opening=proof.opening[first["block"]][classes.block],
        units=proof.units[first["block"]][classes.block],
    )  # type: ignore[return-value]


@given(seed=st.integers(0, 30), multipliers=st.integers(0, 2**32), bits=st.integers(1, 58))
@settings(max_examples=60, deadline=None)
def test_the_bound_over_classes_is_the_bound(seed: int, multipliers: int, bits: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    classes, patterns = refine(problem), row_patterns(problem)
    proof = within_classes(random_certificate(problem, multipliers, bits), classes)
    assert ClassBound(problem, classes).bound_cents(problem, patterns, proof) == bound_cents(problem, patterns, proof)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_of_a_scenario_over_shared_classes_is_its_bound(seed: int) -> None:
    base = random_problem(seed, FULL_SIZE)
    scenarios = scenarios_of(base, seed)
    classes = refine_together((base, *scenarios))
    evaluate = ClassBound(base, classes)
    proof = within_classes(proof_of(base)[1], classes)
    for problem in scenarios:
        patterns = row_patterns(problem)
        assert evaluate.bound_cents(problem, patterns, proof) == bound_cents(problem, patterns, proof)


@pytest.mark.parametrize("seed", SEEDS)
def test_multipliers_that_move_with_the_values_prove_a_bound(seed: int) -> None:
    base = random_problem(seed, FULL_SIZE)
    scenarios = scenarios_of(base, seed)
    shared = learn(base, scenarios, 0)
    (known,) = shared.known
    for problem, solved in zip(scenarios, solve_batch(base, scenarios, changed_options(n_probes=0)), strict=True):
        proof = known.moved(problem, effective_values(problem).rack, shared.loads)
        assert (proof.limit >= 0).all()
        found = ClassBound(base, shared.classes).bound_cents(problem, row_patterns(problem), proof)
        assert found == solved.first_bound >= solved.objective
    assert (known.moved(base, known.value, shared.loads).limit == known.proof.limit).all()


def test_multipliers_take_up_what_all_racks_are_worth_more(base: Problem) -> None:
    dearer = changed(base, period_value=base.period_value + np.abs(base.period_value) // 10)
    shared, patterns = learn(base, [dearer], 0), row_patterns(base)
    (known,), evaluate = shared.known, ClassBound(base, shared.classes)
    moved = known.moved(dearer, effective_values(dearer).rack, shared.loads)
    stays, follows = (evaluate.bound_cents(dearer, patterns, proof) for proof in (known.proof, moved))
    assert follows < stays


# Rounding


def _fillings(block_class: int, system: int) -> Fillings:
    return Fillings(block_class, system, 0, (Filling(4, 1, ()),))


@given(
    size=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    parts=st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=8, max_size=8),
    balance=st.sampled_from(BALANCES),
)
def test_whole_starts_keep_to_the_blocks_that_there_are(
    size: list[int], parts: list[list[float]], balance: float
) -> None:
    fillings = tuple(_fillings(index, system) for index in range(len(size)) for system in range(2))
    standing = np.cumsum([parts[number] for number in range(len(fillings))], axis=1)
    for index, n_blocks in enumerate(size):
        own = standing[2 * index : 2 * index + 2]
        own *= min(1.0, n_blocks / max(own[:, -1].sum(), 1e-9))
    ends = whole_ends(fillings, np.array(size), standing[:, -1], balance)
    starts = whole_starts(standing, ends)
    held = np.cumsum(starts, axis=1)
    assert (starts >= 0).all()
    for index, n_blocks in enumerate(size):
        own, wanted = held[2 * index : 2 * index + 2, -1], standing[2 * index : 2 * index + 2, -1]
        assert own.sum() <= n_blocks
        assert (np.abs(own - wanted) < 1 + 1e-3).all()
        assert abs(own.sum() - wanted.sum()) < 1 + 1e-3
    assert (held <= np.ceil(standing)).all()


def test_whole_starts_stay_whole() -> None:
    standing = np.array([[0.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
    ends = whole_ends((_fillings(0, 0), _fillings(0, 1)), np.array([4]), standing[:, -1], 0.7)
    assert whole_starts(standing, ends).tolist() == [[0, 2, 1], [1, 0, 0]]


def test_what_one_class_loses_by_rounding_another_makes_up() -> None:
    wanted = np.array([1.4, 0.6, 1.45, 0.55])
    fillings = (_fillings(0, 0), _fillings(0, 1), _fillings(1, 0), _fillings(1, 1))
    assert whole_ends(fillings, np.array([2, 2]), wanted, 0.7).tolist() == [1, 1, 2, 0]
    assert whole_ends(fillings, np.array([2, 2]), wanted, 0.0).tolist() == [1, 1, 1, 1]


def test_ends_are_held_from_the_surest_to_the_least_certain() -> None:
    classes = (np.array([0, 0, 1, 1]), np.array([2, 2]))
    wanted, none = np.array([1.01, 0.6, 1.4, 0.6]), np.zeros(4, np.int64)
    ends, held = nearest_ends(wanted, none, np.zeros(4, np.bool_), classes, 0.25)
    assert (ends.tolist(), held.tolist()) == ([1, 0, 0, 0], [True, False, False, False])
    ends, held = nearest_ends(wanted, ends, held, classes, 1.0)
    assert held.all()
    assert ends.tolist() == [1, 1, 1, 1]


def test_no_more_ends_are_held_than_a_class_has_blocks() -> None:
    classes = (np.zeros(3, np.int64), np.array([2]))
    wanted, none = np.array([0.7, 0.7, 0.6]), np.zeros(3, np.int64)
    ends, held = nearest_ends(wanted, none, np.zeros(3, np.bool_), classes, 1.0)
    assert held.all()
    assert ends.sum() == 2


def test_flips_round_one_end_or_a_pair_to_the_other_side() -> None:
    wanted, ends = np.array([1.4, 0.6, 1.0]), np.array([1, 1, 1])
    found = [other.tolist() for other in flips(wanted, ends, np.array([0, 0, 1]), np.array([2, 1]))]
    assert sorted(found) == [[1, 0, 1], [2, 0, 1]]
    roomy = [other.tolist() for other in flips(wanted, ends, np.array([0, 0, 1]), np.array([3, 1]))]
    assert sorted(roomy) == [[1, 0, 1], [2, 0, 1], [2, 1, 1]]


@given(st.lists(st.lists(st.floats(0, 40), min_size=2, max_size=2), min_size=1, max_size=8))
def test_whole_units_are_near_and_make_up_for_each_other(wanted: list[list[float]]) -> None:
    units = np.array(wanted)
    whole = whole_units(units)
    assert (whole == np.round(whole)).all()
    assert (np.abs(whole - units) < 1 + 1e-3).all()
    assert (np.abs((whole - units).sum(axis=0)) < 0.51).all()


# Batches


@pytest.mark.parametrize("seed", SEEDS)
def test_every_scenario_has_a_plan_and_a_bound_of_its_own(seed: int) -> None:
    base = random_problem(seed, FULL_SIZE)
    scenarios = scenarios_of(base, seed)
    for problem, solved in zip(scenarios, solve_batch(base, scenarios, ALONE), strict=True):
        assert not broken_rules(problem, solved.plan.n_racks)
        assert solved.objective == objective_cents(problem, solved.plan) <= solved.bound <= solved.first_bound
        assert solved.bound == bound_cents(problem, row_patterns(problem), solved.certificate)


def test_minimum_demands_count_in_plans_and_bounds() -> None:
    base = with_minimum_demands(random_problem(4, FULL_SIZE), 1)
    scenarios = scenarios_of(base, 4, 2)
    for problem, solved in zip(scenarios, solve_batch(base, scenarios, ALONE), strict=True):
        assert not broken_rules(problem, solved.plan.n_racks)
        assert solved.objective == objective_cents(problem, solved.plan) <= solved.bound
        assert solved.bound == bound_cents(problem, row_patterns(problem), solved.certificate)


def test_processes_change_nothing_but_the_time() -> None:
    base = random_problem(5, FULL_SIZE)
    scenarios = scenarios_of(base, 5, 5)
    told: list[int] = []
    alone = solve_batch(base, scenarios, ALONE)
    two = solve_batch(base, scenarios, changed_options(n_processes=2), lambda number, _: told.append(number))
    assert sorted(told) == list(range(5))
    for one, other in zip(alone, two, strict=True):
        assert (one.plan.n_racks == other.plan.n_racks).all()
        assert (one.objective, one.bound, one.first_bound) == (other.objective, other.bound, other.first_bound)


@pytest.mark.parametrize("seed", [5, 7])
def test_backends_make_the_same_plans(seed: int) -> None:
    base = random_problem(seed, FULL_SIZE)
    scenarios = scenarios_of(base, seed, 3)
    solved = [solve_batch(base, scenarios, changed_options(backend=name)) for name in ("numpy", "numba")]
    for one, other in zip(*solved, strict=True):
        assert (one.plan.n_racks == other.plan.n_racks).all()
        assert (one.objective, one.bound, one.first_bound) == (other.objective, other.bound, other.first_bound)


def changed_options(**fields: Any) -> BatchOptions:
    return changed(ALONE, **fields)  # type: ignore[arg-type,return-value]


def test_no_scenarios_are_no_work() -> None:
    assert solve_batch(random_problem(1), [], ALONE) == []


def test_a_scenario_of_another_graph_is_refused() -> None:
    base = random_problem(2, FULL_SIZE)
    coefficient = base.entry_coefficient.copy()
    coefficient[0, 0] += 1
    with pytest.raises(
        ValueError, match=r"scenario 1 differs from the base in 'entry_coefficient'.*capacity.*on its own"
    ):
        solve_batch(base, [base, changed(base, entry_coefficient=coefficient)], ALONE)
    with pytest.raises(ValueError, match="scenario 0 has 'capacity' of shape"):
        solve_batch(base, [changed(base, capacity=base.capacity[:, 1:])], ALONE)


# Drawn scenarios of a generated campus


@cache
def campus(folder: Path) -> Problem:
    return lower(load_world(write_campus(folder, 7, CampusSize(48, 8)))).problem


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    return campus(tmp_path_factory.mktemp("campus"))


def test_a_drawn_scenario_only_takes_away_and_its_seed_gives_the_same_numbers(base: Problem) -> None:
    drawn = [draw_scenario(base, seed) for seed in range(8)]
    for seed, scenario in enumerate(drawn):
        assert (scenario.capacity <= base.capacity).all()
        assert ((scenario.capacity == INACTIVE) == (base.capacity == INACTIVE)).all()
        assert (scenario.capacity >= 0).all()
        assert (scenario.first_period >= base.first_period).all()
        again = draw_scenario(base, seed)
        assert all((getattr(again, name) == getattr(scenario, name)).all() for name in ("capacity", "period_value"))
    supply = [number for number, limit in enumerate(base.limits) if limit.family == "supply"]
    assert all((scenario.capacity[supply] % ONE == 0).all() for scenario in drawn)
    for name in ("capacity", "first_period", "period_value", "start_value"):
        assert any((getattr(scenario, name) != getattr(base, name)).any() for scenario in drawn)


def test_scenarios_of_a_generated_campus_are_solved_about_as_well_as_each_alone(base: Problem) -> None:
    scenarios = [draw_scenario(base, seed) for seed in range(4)]
    solved = solve_batch(base, scenarios, changed_options(n_probes=2, most_rounds=12))
    assert len({one.objective for one in solved}) == 4
    for problem, one in zip(scenarios, solved, strict=True):
        alone = solve(problem, SolveOptions(work_limit=2000))
        assert holds(problem, Plan(one.plan.n_racks))
        assert one.bound == bound_cents(problem, row_patterns(problem), one.certificate) <= alone.bound * 1.003
        assert one.objective >= 0.985 * alone.objective


def test_a_scenario_is_done_at_the_gap_that_is_asked_for(base: Problem) -> None:
    scenario = draw_scenario(base, 0)
    (long,) = solve_batch(base, [scenario], changed_options(gap=0.0, most_rounds=8))
    (short,) = solve_batch(base, [scenario], changed_options(gap=long.gap + 1e-9, most_rounds=9))
    assert long.n_rounds == 8
    assert not long.is_done
    assert short.is_done
    assert short.n_rounds <= 8
    assert short.gap <= long.gap + 1e-9


def test_a_run_of_scenarios_states_what_it_took(base: Problem) -> None:
    scenarios, told = [draw_scenario(base, seed) for seed in range(3)], []
    options = changed_options(n_probes=1, most_rounds=1)
    run = run_scenarios(base, scenarios, options, lambda number, one: told.append((number, one.gap)))
    assert sorted(told) == list(enumerate(run.gaps))
    assert run.n_scenarios == 3
    assert min(run.start_s, run.wall_s, run.cpu_s) > 0 <= run.compile_s
    assert run.per_minute(2) == pytest.approx(360 / run.cpu_s)
    assert all(excess >= 0 for excess in run.first_bound_excess)

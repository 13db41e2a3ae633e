"""Many scenarios of one graph: each with its own plan and certified gap, all from one set of columns.

Scenarios may differ in capacities, first periods, values, costs and contract. Rows, limits and blocks that are alike
in all of them form one partition, so every scenario has the same relaxation but for its numbers: columns that are
made for the base and a few scenarios hold in the others, whose masters start where the base's stood.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.backends import kernel, resolve
from planner.problem import Problem
from planner.solve.certificate import certificate
from planner.solve.class_bound import ClassBound
from planner.solve.classes import equitable, joined_rows, refine_together, singletons
from planner.solve.column_pool import PoolMaker
from planner.solve.fillings import block_fillings
from planner.solve.folding import Folded, folded
from planner.solve.formulation import Formulation
from planner.solve.generation import generate
from planner.solve.known import JointLoads, Known
from planner.solve.master import Master
from planner.solve.packing import effective_values
from planner.solve.patterns import PatternBook, row_patterns
from planner.solve.polish import load_kernels
from planner.solve.relaxation import Relaxation, lift
from planner.solve.scenario import BatchOptions, BatchSolution, Shared, solve_scenarios, start_of_search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MAY_DIFFER = frozenset({
    "capacity", "first_period", "period_value", "contract_revenue", "start_value", "open_cost", "unit_cost",
    "contract_amount", "contract_rate", "ineligible",
})  # fmt: skip


def solve_batch(
    base: Problem,
    scenarios: Sequence[Problem],
    options: BatchOptions | None = None,
    progress: Callable[[int, BatchSolution], None] | None = None,
    chosen: Sequence[int] | None = None,
) -> list[BatchSolution]:
    """Plan every scenario and prove how close each plan is to the best.

    The plans do not depend on the number of processes, nor on which scenarios are searched side by side.
    Parameters: base, lowered; scenarios, of the same graph; options; progress, called with the number and solution of
    each scenario when it is done; chosen, numbers of the scenarios to plan, each as if all were, missing: all. Raises
    ValueError where a scenario differs from the base in more than numbers may, BackendError when the backend does not
    run here.
    """
    if any(one.openings for one in (base, *scenarios)):
        msg = "sites or phases are opened at a cost, which scenarios of one graph do not know; solve them one by one"
        raise ValueError(msg)
    form = folded(base)
    if form is not None:
        return _solve_folded(form, scenarios, options, progress, chosen)
    options = options or BatchOptions()
    options = replace(options, backend=resolve(options.backend))
    for number, scenario in enumerate(scenarios):
        check_same_graph(base, scenario, f"scenario {number}")
    numbers = range(len(scenarios)) if chosen is None else chosen
    if not numbers:
        return []
    if options.n_processes <= 1:
        shared = learn(base, scenarios, options.n_probes)
        evaluate = ClassBound(base, shared.classes)
        return _told(
            numbers,
            (
                (chunk[place], solution)
                for chunk in _chunks(numbers, options)
                for place, solution in solve_scenarios(shared, evaluate, [scenarios[one] for one in chunk], options)
            ),
            progress,
        )
    # One pool for each process, so that each can be told what is shared; they start up while the base is solved.
    context = multiprocessing.get_context("spawn")
    chunks = _chunks(numbers, options)
    crew = [ProcessPoolExecutor(1, mp_context=context) for _ in range(min(options.n_processes, len(chunks)))]
    try:
        begun = [pool.submit(_import_solvers, options.backend) for pool in crew]
        shared = learn(base, scenarios, options.n_probes)
        begun += [pool.submit(_begin, shared, options) for pool in crew]
        tasks = [
            crew[place % len(crew)].submit(_solve_changed, [_changes(base, scenarios[number]) for number in chunk])
            for place, chunk in enumerate(chunks)
        ]
        for task in begun:
            task.result()
        return _told(
            numbers,
            (
                (chunk[place], solution)
                for chunk, task in zip(chunks, tasks, strict=True)
                for place, solution in task.result()
            ),
            progress,
        )
    finally:
        for pool in crew:
            pool.shutdown(cancel_futures=True)


def _solve_folded(
    base: Folded,
    scenarios: Sequence[Problem],
    options: BatchOptions | None,
    progress: Callable[[int, BatchSolution], None] | None,
    chosen: Sequence[int] | None,
) -> list[BatchSolution]:
    """Solve over slots, as every scenario closes the same configurations; plans and multipliers go back."""
    forms = [form for form in map(folded, scenarios) if form is not None]
    if len(forms) < len(scenarios):
        msg = "a scenario differs from the base in 'closed'; solve it on its own"
        raise ValueError(msg)

    def unfolded(number: int, solution: BatchSolution) -> BatchSolution:
        form = forms[number]
        return replace(solution, plan=form.plan(solution.plan), certificate=form.certificate(solution.certificate))

    def tell(number: int, solution: BatchSolution) -> None:
        if progress is not None:
            progress(number, unfolded(number, solution))

    solved = solve_batch(base.slots, [form.slots for form in forms], options, tell, chosen)
    numbers = range(len(forms)) if chosen is None else chosen
    return [unfolded(number, solution) for number, solution in zip(numbers, solved, strict=True)]


def check_same_graph(base: Problem, scenario: Problem, name: str) -> None:
    """Refuse a scenario that is not the base with other numbers, and side programs at all.

    Raises ValueError with what differs.
    """
    if base.side is not None or scenario.side is not None:
        found = "the base" if base.side is not None else name
        msg = f"{found} has workloads or terms of a contract, which no batch of scenarios knows: solve it on its own"
        raise ValueError(msg)
    for item in fields(Problem):
        if item.name not in _MAY_DIFFER and not _same(getattr(base, item.name), getattr(scenario, item.name)):
            msg = (
                f"{name} differs from the base in '{item.name}'; scenarios of a batch may differ in "
                f"{', '.join(sorted(_MAY_DIFFER))} only: solve it on its own"
            )
            raise ValueError(msg)
        if np.shape(getattr(base, item.name)) != np.shape(getattr(scenario, item.name)) and item.name != "ineligible":
            msg = f"{name} has '{item.name}' of shape {np.shape(getattr(scenario, item.name))}, the base of another"
            raise ValueError(msg)


def learn(base: Problem, scenarios: Sequence[Problem], n_probes: int) -> Shared:
    """Solve the relaxations of the base and of some scenarios, and keep what helps the others.

    Parameters: n_probes, scenarios to look at, spread evenly over all.
    """
    classes = refine_together((base, *scenarios))
    if not equitable(base, classes):
        classes = singletons(base)
    probes = [scenarios[len(scenarios) * number // n_probes] for number in range(min(n_probes, len(scenarios)))]
    book, maker = PatternBook(), PoolMaker()
    known: list[Known] = []
    joined = joined_rows((base, *scenarios), classes, row_patterns(base, book=book, row_class=classes.row))
    for problem in (base, *probes):
        patterns = row_patterns(problem, book=book, row_class=classes.row)
        formulation = Formulation(problem, patterns, joined)
        master = Master(formulation.columns, formulation.rows)
        if known:
            maker.pool().put_into(formulation, master)
        generate(formulation, master, None)
        relaxation: Relaxation = lift(formulation, master)
        maker.collect(formulation)
        value = effective_values(problem).rack
        known.append(Known(certificate(problem, relaxation), relaxation, problem.capacity, value))
    pool = maker.pool()
    patterns = row_patterns(base, book=book, row_class=classes.row)
    formulation = Formulation(base, patterns, joined)
    master = Master(formulation.columns, formulation.rows)
    pool.put_into(formulation, master)
    master.solve()
    found = block_fillings(base, patterns, known[0].relaxation, np.unique(classes.block, return_index=True)[1])
    loads = JointLoads(base, classes)
    return Shared(base, classes, joined, book, pool, master.basis(), found, tuple(known), loads)


def _same(first: Any, second: Any) -> bool:
    if first is second:
        return True
    if isinstance(first, np.ndarray):
        return bool(np.array_equal(first, second))
    return bool(first == second)


def _changes(base: Problem, scenario: Problem) -> dict[str, Any]:
    """The fields in which a scenario differs: all that has to be sent to a process that has the base."""
    named = {item.name: getattr(scenario, item.name) for item in fields(Problem)}
    return {name: value for name, value in named.items() if not _same(getattr(base, name), value)}


def _chunks(numbers: Sequence[int], options: BatchOptions) -> list[list[int]]:
    """The numbers in parts as even as they can be, none larger than there are lanes, at least one for each process."""
    n_parts = max(-(-len(numbers) // options.n_lanes), min(options.n_processes, len(numbers)))
    edges = [len(numbers) * part // n_parts for part in range(n_parts + 1)]
    return [list(numbers[first:end]) for first, end in pairwise(edges)]


def _told(
    numbers: Sequence[int],
    solved: Iterable[tuple[int, BatchSolution]],
    progress: Callable[[int, BatchSolution], None] | None,
) -> list[BatchSolution]:
    result = {}
    for number, solution in solved:
        result[number] = solution
        if progress is not None:
            progress(number, solution)
    return [result[number] for number in numbers]


class _Process:
    """What one process of a batch knows."""

    shared: Shared
    evaluate: ClassBound
    options: BatchOptions


def _import_solvers(backend: str) -> None:
    """What a process can do before it knows the problem."""
    import_module("highspy")
    kernel("search_scenarios", backend)


def _begin(shared: Shared, options: BatchOptions) -> None:
    _Process.shared, _Process.options = shared, options
    _Process.evaluate = ClassBound(shared.base, shared.classes)
    load_kernels(*start_of_search(shared), options.backend)


def _solve_changed(changes: list[dict[str, Any]]) -> list[tuple[int, BatchSolution]]:
    problems = [replace(_Process.shared.base, **one) for one in changes]
    return list(solve_scenarios(_Process.shared, _Process.evaluate, problems, _Process.options))

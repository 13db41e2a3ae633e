"""From whole sums over classes to a plan: what a peer finds in the reduced form, handed out to blocks and refilled.

Of the peer's answer the whole numbers of blocks count: how many of each class start with which system, and when. Racks
for these blocks are found, settled and refilled as for an assignment of our own. So a peer gets our reduction and our
repair, and its clock stands still meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.bench.reduced import REDUCED, model_of
from planner.problem import Plan
from planner.solve.assignment import ClassProgram, assignment_of
from planner.solve.certificate import certificate
from planner.solve.classes import refine
from planner.solve.fillings import block_fillings
from planner.solve.guide import make_guide
from planner.solve.packing import packing_model
from planner.solve.patterns import row_patterns
from planner.solve.polish import Polish
from planner.solve.pools import mixed_pool
from planner.solve.program import Relaxed
from planner.solve.relaxation import relax
from planner.solve.settle import settled_plan
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.assignment import Assignment

_ROUNDS = 12
"""Rounds of refilling, as many as a scenario of a batch gets at most."""


class Lifter:
    """Makes plans of one problem from answers to its reduced form."""

    def __init__(self, problem: Problem, backend: str = "auto") -> None:
        """Solve our own relaxation once: its prices say what is worth refilling.

        Parameters: problem, as lowered; backend of the kernels.
        """
        self.problem, self._backend = problem, backend
        self._classes, self._patterns = refine(problem), row_patterns(problem)
        self._relaxation = relax(problem, self._patterns, self._classes)
        self._proof = certificate(problem, self._relaxation)
        self._packing = packing_model(problem, self._patterns)
        self._column = {one.name: index for index, one in enumerate(model_of(problem, REDUCED).columns)}

    def plan(self, values: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """[n_rows, n_configurations, n_periods] a plan that holds; without a rack where none of this succeeds.

        Parameters: values, of every column of the reduced form, whole.
        """
        empty = np.zeros(self._relaxation.racks.shape, np.int64)
        assignment = self._assignment(values)
        if assignment is None:
            return empty.astype(np.int32)
        settled = [
            settled_plan(self.problem, self._patterns, self._classes, assignment, by_period=by_period)
            for by_period in (True, False)
        ]
        kept = [racks for racks in settled if racks is not None]
        return self._refilled(max(kept, key=self._worth, default=empty), assignment)

    def _worth(self, racks: NDArray[np.int64]) -> int:
        return objective_cents(self.problem, Plan(racks.astype(np.int32)))

    def _assignment(self, values: NDArray[np.integer[Any]]) -> Assignment | None:
        """The best racks for the blocks that the answer starts, by our program over classes of blocks."""
        program = ClassProgram(
            self.problem, self._patterns, self._classes,
            lambda blocks: block_fillings(self.problem, self._patterns, self._relaxation, blocks),
        )  # fmt: skip
        program.build()
        if not program.program.gain:
            return None
        standing = np.array([
            [self._blocks(values, one.block_class, one.system, t) for t in range(self.problem.n_periods)]
            for one in program.fillings
        ])  # fmt: skip
        starts = np.diff(np.maximum.accumulate(standing, axis=1), axis=1, prepend=0)
        there, relaxed = program.start >= 0, Relaxed(program.program)
        relaxed.fix(program.start[there], starts[there].astype(np.float64))
        answer = relaxed.solve()
        return None if answer is None else assignment_of(program, answer)

    def _blocks(self, values: NDArray[np.integer[Any]], block_class: int, system: int, period: int) -> int:
        number = self._column.get(f"z_b{block_class}_s{system}_t{period}")
        return 0 if number is None else int(values[number])

    def _refilled(self, racks: NDArray[np.int64], assignment: Assignment) -> NDArray[np.int32]:
        pool = mixed_pool(assignment, self._relaxation.pool)
        steered = replace(self._relaxation, racks=assignment.racks, pool=pool)
        guide = make_guide(self.problem, self._proof, self._classes, steered, racks)
        polish = Polish(self._packing, guide.for_search(self._packing), racks, self._backend, 0)
        for _ in range(_ROUNDS):
            polish.round()
        return polish.n_racks

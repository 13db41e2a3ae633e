"""The iteration's course: step sizes, restarts and the balance of primal and dual, lane by lane.

Restarts are judged by the fixed-point error, and the primal weight follows a controller, as in cuPDLPx (Lu, Peng,
Yang, arXiv 2507.14051). Every decision is taken after a fixed number of steps from sums in index order, so a lane goes
the same way alone and among others, and with either backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.backends import kernel
from kernels.contract import FirstOrderState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import FirstOrderModel

STEPS_OF_A_LOOK = 40
"""Steps between looks at the error."""
_SUFFICIENT, _NECESSARY, _ARTIFICIAL = 0.2, 0.8, 0.36
"""Shares of the error after the last restart at which to restart at once, or as soon as it rises; and of all steps."""
_PROPORTIONAL, _INTEGRAL, _FORGETTING = 0.5, 0.01, 0.3
"""Of the controller that holds the primal weight at the ratio of the distances that dual and primal have come."""
_POWER_ROUNDS = 40
_SAFETY = 0.95
"""Share of the largest step that the estimated norm allows."""


class Iteration:
    """All lanes of one scaled program."""

    def __init__(self, model: FirstOrderModel, backend: str, restarts: bool = True) -> None:
        """Start at zero, with steps as large as each lane's matrix allows.

        Parameters: model; backend; restarts, without which averaging never begins anew.
        """
        self.model, self._restarts = model, restarts
        self._steps, self._errors = kernel("first_order_steps", backend), kernel("first_order_errors", backend)
        self._gain, self._load = kernel("first_order_gain", backend), kernel("first_order_load", backend)
        primal, dual = np.zeros_like(model.gain), np.zeros_like(model.gate)
        n_lanes = primal.shape[2]
        self._norm = self._norms()
        self.weight = np.ones(n_lanes)
        self._error_sum = np.zeros(n_lanes)
        self._first_error, self._last_error = np.full(n_lanes, np.inf), np.full(n_lanes, np.inf)
        self.n_steps, self.n_restarts = 0, np.zeros(n_lanes, np.int64)
        self.state = FirstOrderState(
            primal, dual, primal.copy(), dual.copy(), primal.copy(), dual.copy(), np.zeros(n_lanes, np.int64),
            np.zeros(n_lanes, primal.dtype), np.zeros(n_lanes, primal.dtype),
        )  # fmt: skip
        self._first_weight()

    def start_at(self, primal: NDArray[np.floating], dual: NDArray[np.floating], weight: float) -> None:
        """Begin every lane at the same scaled point.

        Parameters: primal [n_variables, n_periods]; dual [n_constraints, n_periods]; weight, that served there.
        """
        state = self.state
        for points, start in (
            ((state.primal, state.primal_image, state.primal_anchor), primal),
            ((state.dual, state.dual_image, state.dual_anchor), dual),
        ):
            for point in points:
                point[:] = start[..., None]
        state.dual_anchor[~np.isfinite(self.model.right_side)] = 0
        state.dual[:], state.dual_image[:] = state.dual_anchor, state.dual_anchor
        self.weight[:] = weight
        self._set_steps()

    def look(self) -> NDArray[np.float64]:
        """Make some steps in every lane, then restart those lanes that should; returns each lane's error.

        The error is the distance between a point and its image in the norm in which the step is nonexpansive.
        """
        at_anchor = self.state.n_steps == 0
        if at_anchor.any():
            self._steps(self.model, self.state, 1)
            error = self._measure()[0]
            self._first_error[at_anchor] = error[at_anchor]
            self._last_error[at_anchor] = error[at_anchor]
            self.n_steps += 1
        self._steps(self.model, self.state, STEPS_OF_A_LOOK)
        self.n_steps += STEPS_OF_A_LOOK
        error, primal_far, dual_far = self._measure()
        if self._restarts:
            rises = error > self._last_error
            due = error <= _SUFFICIENT * self._first_error
            due |= (error <= _NECESSARY * self._first_error) & rises
            due |= self.state.n_steps >= _ARTIFICIAL * self.n_steps
            self._last_error = error
            self._restart(np.flatnonzero(due), primal_far, dual_far)
        return error

    def gain(self, dual: NDArray[np.floating]) -> NDArray[np.floating]:
        """What a unit of each variable gains after prices."""
        result = np.empty_like(self.model.gain)
        self._gain(self.model, dual, result)
        return result

    def _measure(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Error, and how far primal and dual have come since the anchor."""
        sums = np.empty((5, self.weight.size))
        self._errors(self.model, self.state, sums)
        square = self.weight * sums[0] + sums[1] / self.weight - 2.0 * self._size * sums[2]
        return np.sqrt(np.maximum(square, 0.0)), np.sqrt(sums[3]), np.sqrt(sums[4])

    def _restart(
        self, lanes: NDArray[np.int64], primal_far: NDArray[np.float64], dual_far: NDArray[np.float64]
    ) -> None:
        """Begin again from the image, with a weight nearer to the ratio of distances."""
        state = self.state
        for lane in lanes:
            state.primal_anchor[..., lane] = state.primal_image[..., lane]
            state.dual_anchor[..., lane] = state.dual_image[..., lane]
            state.n_steps[lane] = 0
            if primal_far[lane] > 1e-10 and dual_far[lane] > 1e-10:
                off = float(np.log(dual_far[lane] / primal_far[lane]) - np.log(self.weight[lane]))
                self._error_sum[lane] = _FORGETTING * self._error_sum[lane] + off
                self.weight[lane] *= np.exp(_PROPORTIONAL * off + _INTEGRAL * self._error_sum[lane])
        self.n_restarts[lanes] += 1
        self._set_steps()

    def _norms(self) -> NDArray[np.float64]:
        """[n_lanes] estimates of the matrix's largest singular value, by power iteration."""
        shape = self.model.gain.shape
        bare = self.model._replace(gain=np.zeros_like(self.model.gain))
        pattern = 1.0 + np.arange(shape[0] * shape[1]) % 7 / 7.0
        primal = np.repeat(pattern.astype(self.model.gain.dtype).reshape(*shape[:2], 1), shape[2], axis=2)
        dual, norm = np.empty_like(self.model.gate), np.ones(shape[2])
        for _ in range(_POWER_ROUNDS):
            self._load(self.model, primal, dual)
            dual[~np.isfinite(self.model.right_side)] = 0
            self._gain(bare, dual, primal)
            np.negative(primal, out=primal)
            square = np.cumsum(np.square(primal.astype(np.float64)).reshape(-1, shape[2]), axis=0)[-1]
            norm = np.sqrt(np.sqrt(square))
            primal /= np.where(square > 0.0, np.sqrt(square), 1.0).astype(primal.dtype)
        return np.where(norm > 0.0, norm, 1.0)

    def _first_weight(self) -> None:
        """The ratio of the sizes of gains and right sides."""
        right_side = np.where(np.isfinite(self.model.right_side), self.model.right_side, 0.0).astype(np.float64)
        sizes = [
            np.sqrt(np.cumsum(np.square(part.astype(np.float64)).reshape(-1, self.weight.size), axis=0)[-1])
            for part in (self.model.gain, right_side)
        ]
        known = (sizes[0] > 0.0) & (sizes[1] > 0.0)
        self.weight = np.where(known, sizes[0] / np.where(known, sizes[1], 1.0), 1.0)
        self._set_steps()

    def _set_steps(self) -> None:
        self._size = _SAFETY / self._norm
        self.state.primal_step[:] = self._size / self.weight
        self.state.dual_step[:] = self._size * self.weight

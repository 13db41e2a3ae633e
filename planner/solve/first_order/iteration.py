"""The iteration's course: step sizes, restarts and the balance of primal and dual, lane by lane.

Restarts are judged by the fixed-point error, and the primal weight follows a controller, as in cuPDLPx (Lu, Peng,
Yang, arXiv 2507.14051). Every decision is taken after a fixed number of steps from sums in index order, so a lane goes
the same way alone and among others, and with either backend of the host.

All arrays lie in the backend's memory from the first step to the last, also what is decided: a look hands the host
nothing but each lane's error and whether it began anew, and points only when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.backends import home, kernel
from kernels.contract import FirstOrderState

if TYPE_CHECKING:
    from types import ModuleType

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
_STANDING = 1e-10
"""Distances below which a lane's weight stays."""


class Iteration:
    """All lanes of one scaled program."""

    def __init__(self, model: FirstOrderModel, backend: str, restarts: bool = True) -> None:
        """Start at zero, with steps as large as each lane's matrix allows.

        Parameters: model, in the host's memory; backend; restarts, without which averaging never begins anew.
        """
        self._home, self._restarts = home(backend), restarts
        self._steps, self._errors = kernel("first_order_steps", backend), kernel("first_order_errors", backend)
        self._gain, self._load = kernel("first_order_gain", backend), kernel("first_order_load", backend)
        self._squares = kernel("first_order_squares", backend)
        self.model, xp = self._home.put(model), self._xp
        self._exists = xp.isfinite(self.model.right_side)
        primal, dual = xp.zeros_like(self.model.gain), xp.zeros_like(self.model.gate)
        n_lanes = primal.shape[2]
        self._norm = self._norms()
        self.weight, self._error_sum = xp.ones(n_lanes), xp.zeros(n_lanes)
        self._first_error, self._last_error = xp.full(n_lanes, np.inf), xp.full(n_lanes, np.inf)
        self.n_steps, self.n_restarts = 0, np.zeros(n_lanes, np.int64)
        self._anew = np.ones(n_lanes, np.bool_)
        self.state = FirstOrderState(
            primal, dual, primal.copy(), dual.copy(), primal.copy(), dual.copy(), xp.zeros(n_lanes, np.int64),
            xp.zeros(n_lanes, primal.dtype), xp.zeros(n_lanes, primal.dtype),
        )  # fmt: skip
        self._first_weight()

    @property
    def _xp(self) -> ModuleType:
        return self._home.xp

    def start_at(self, primal: NDArray[np.floating], dual: NDArray[np.floating], weight: float) -> None:
        """Begin every lane at the same scaled point.

        Parameters: primal [n_variables, n_periods]; dual [n_constraints, n_periods]; weight, that served there.
        """
        state = self.state
        for points, start in (
            ((state.primal, state.primal_image, state.primal_anchor), primal),
            ((state.dual, state.dual_image, state.dual_anchor), dual),
        ):
            placed = self._home.put(start)
            for point in points:
                point[...] = placed[..., None]
        for point in (state.dual_anchor, state.dual, state.dual_image):
            self._drop_missing(point)
        self.weight[...] = weight
        self._set_steps()

    def look(self) -> NDArray[np.float64]:
        """Make some steps in every lane, then restart those lanes that should; returns each lane's error.

        The error is the distance between a point and its image in the norm in which the step is nonexpansive.
        """
        if self._anew.any():
            self._first_step()
        self._steps(self.model, self.state, STEPS_OF_A_LOOK)
        self.n_steps += STEPS_OF_A_LOOK
        error, primal_far, dual_far = self._measure()
        due = error < 0.0
        if self._restarts:
            due |= error <= _SUFFICIENT * self._first_error
            due |= (error <= _NECESSARY * self._first_error) & (error > self._last_error)
            due |= self.state.n_steps >= _ARTIFICIAL * self.n_steps
            self._last_error = error
            self._restart(due, primal_far, dual_far)
        found = self._home.get(self._xp.stack((error, due.astype(np.float64))))
        self._anew = found[1] > 0.0
        self.n_restarts += self._anew
        return np.asarray(found[0])

    def points(self) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.floating]]:
        """Images of primal and dual, and what a unit of each variable gains after those prices, for the host."""
        gain = self._xp.empty_like(self.model.gain)
        self._gain(self.model, self.state.dual_image, gain)
        return self._home.get((self.state.primal_image, self.state.dual_image, gain))

    def weights(self) -> NDArray[np.float64]:
        """[n_lanes] for the host."""
        return self._home.get(self.weight)

    def _first_step(self) -> None:
        """One step in every lane; lanes at their anchor take its error for the one that later ones are judged by."""
        at_anchor = self.state.n_steps == 0
        self._steps(self.model, self.state, 1)
        error = self._measure()[0]
        self._first_error = self._xp.where(at_anchor, error, self._first_error)
        self._last_error = self._xp.where(at_anchor, error, self._last_error)
        self.n_steps += 1

    def _measure(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Error, and how far primal and dual have come since the anchor."""
        xp = self._xp
        sums = xp.empty((5, self.weight.size))
        self._errors(self.model, self.state, sums)
        square = self.weight * sums[0] + sums[1] / self.weight - 2.0 * self._size * sums[2]
        return xp.sqrt(xp.maximum(square, 0.0)), xp.sqrt(sums[3]), xp.sqrt(sums[4])

    def _restart(self, due: NDArray[np.bool_], primal_far: NDArray[np.float64], dual_far: NDArray[np.float64]) -> None:
        """Begin again from the image in the lanes that are due, with a weight nearer to the ratio of distances."""
        xp, state = self._xp, self.state
        state.primal_anchor[...] = xp.where(due, state.primal_image, state.primal_anchor)
        state.dual_anchor[...] = xp.where(due, state.dual_image, state.dual_anchor)
        state.n_steps[...] = xp.where(due, 0, state.n_steps)
        known = due & (primal_far > _STANDING) & (dual_far > _STANDING)
        off = xp.log(xp.where(known, dual_far, 1.0) / xp.where(known, primal_far, 1.0)) - xp.log(self.weight)
        self._error_sum = xp.where(known, _FORGETTING * self._error_sum + off, self._error_sum)
        moved = self.weight * xp.exp(_PROPORTIONAL * off + _INTEGRAL * self._error_sum)
        self.weight = xp.where(known, moved, self.weight)
        self._set_steps()

    def _norms(self) -> NDArray[np.float64]:
        """[n_lanes] estimates of the matrix's largest singular value, by power iteration."""
        xp, shape = self._xp, self.model.gain.shape
        bare = self.model._replace(gain=xp.zeros_like(self.model.gain))
        pattern = (1.0 + np.arange(shape[0] * shape[1]) % 7 / 7.0).astype(self.model.gain.dtype)
        primal, dual = xp.empty_like(self.model.gain), xp.empty_like(self.model.gate)
        primal[...] = self._home.put(pattern.reshape(*shape[:2], 1))
        norm = xp.ones(shape[2])
        for _ in range(_POWER_ROUNDS):
            self._load(self.model, primal, dual)
            self._drop_missing(dual)
            self._gain(bare, dual, primal)
            primal[...] = -primal
            square = self._sum_of_squares(primal)
            norm = xp.sqrt(xp.sqrt(square))
            primal /= xp.where(square > 0.0, xp.sqrt(square), 1.0).astype(primal.dtype)
        return xp.where(norm > 0.0, norm, 1.0)  # type: ignore[no-any-return]

    def _first_weight(self) -> None:
        """The ratio of the sizes of gains and right sides."""
        xp = self._xp
        right_side = xp.where(self._exists, self.model.right_side, 0.0).astype(self.model.gain.dtype)
        sizes = [xp.sqrt(self._sum_of_squares(part)) for part in (self.model.gain, right_side)]
        known = (sizes[0] > 0.0) & (sizes[1] > 0.0)
        self.weight = xp.where(known, sizes[0] / xp.where(known, sizes[1], 1.0), 1.0)
        self._set_steps()

    def _sum_of_squares(self, value: NDArray[np.floating]) -> NDArray[np.float64]:
        """Each lane's, [n_lanes]."""
        total = self._xp.empty(value.shape[2])
        self._squares(value, total)
        return total  # type: ignore[no-any-return]

    def _drop_missing(self, dual: NDArray[np.floating]) -> None:
        """Let constraints that do not exist have no price."""
        dual[...] = self._xp.where(self._exists, dual, 0.0)

    def _set_steps(self) -> None:
        self._size = _SAFETY / self._norm
        self.state.primal_step[...] = self._size / self.weight
        self.state.dual_step[...] = self._size * self.weight

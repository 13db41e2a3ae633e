"""Small random linear programs in the shape that the first-order kernels take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.contract import FirstOrderModel, FirstOrderState

if TYPE_CHECKING:
    from numpy.typing import NDArray

PER_LANE = ("gate", "right_side", "gain", "upper", "revenue")


@dataclass(frozen=True)
class ModelShape:
    """What a random program has."""

    seed: int
    n_isotone: int
    n_boxed: int
    n_constraints: int
    n_periods: int
    n_lanes: int
    contract: bool


def make_model(shape: ModelShape, dtype: Any) -> FirstOrderModel:
    """A bounded program in which 0 is feasible, with a long constraint, gated ones, and some that do not exist."""
    random = np.random.default_rng(shape.seed)
    n_variables, n = shape.n_isotone + shape.n_boxed, shape.n_constraints
    factor = np.round(random.uniform(0.1, 1.0, (n, n_variables)), 3) * (random.random((n, n_variables)) < 0.5)
    factor[0] = np.round(random.uniform(0.1, 1.0, n_variables), 3)
    factor[:, shape.n_isotone :] *= random.choice([-1.0, 1.0], shape.n_boxed)
    gated = random.integers(-1, n_variables, n)
    gated[0] = -1
    factor[np.arange(n)[gated >= 0], gated[gated >= 0]] = 0.0
    constraint, variable = np.nonzero(factor)
    order = np.lexsort((constraint, variable))
    opened = np.argsort(np.where(gated < 0, n_variables, gated), kind="stable")[: int((gated >= 0).sum())]
    varied = (shape.n_periods, shape.n_lanes)
    right_side = random.uniform(0.2, 2.0, (n + 1, *varied))
    right_side[random.random((n + 1, *varied)) < 0.1] = np.inf
    right_side[-1] = 0.0
    upper = np.sort(random.uniform(0.0, 1.5, (n_variables + 1, *varied)), axis=1)
    return FirstOrderModel(
        constraint_ptr=_offsets(constraint, n), constraint_variable_idx=variable,
        constraint_factor=factor[constraint, variable].astype(dtype),
        variable_ptr=_offsets(variable, n_variables), variable_constraint_idx=constraint[order],
        variable_factor=factor[constraint, variable][order].astype(dtype),
        gate_variable_idx=np.append(gated, -1), gate_ptr=_offsets(gated[opened], n_variables),
        gate_constraint_idx=opened,
        gate=(random.uniform(0.1, 1.0, (n + 1, *varied)) * (np.append(gated, -1) >= 0)[:, None, None]).astype(dtype),
        right_side=right_side.astype(dtype),
        gain=random.uniform(-0.5, 1.0, (n_variables + 1, *varied)).astype(dtype),
        upper=upper.astype(dtype),
        revenue=random.uniform(0.0, 0.5, (n_variables + 1 if shape.contract else 0, *varied)).astype(dtype),
        n_isotone=shape.n_isotone,
        amount=(random.uniform(0.2, 1.0, shape.n_lanes) * shape.contract).astype(dtype),
    )  # fmt: skip


def _offsets(group: NDArray[np.int64], n_groups: int) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(np.bincount(group, minlength=n_groups)))).astype(np.int64)


def make_state(model: FirstOrderModel, seed: int) -> FirstOrderState:
    """Some point within the boxes, with other anchors, at its second to fifth step."""
    random = np.random.default_rng(seed)
    dtype, n_lanes = model.gain.dtype, model.gain.shape[2]
    places = [part.shape for _ in range(3) for part in (model.gain, model.gate)]
    parts: list[Any] = [random.uniform(0.0, 1.0, shape).astype(dtype) for shape in places]
    sizes = [np.asarray(random.uniform(0.05, 0.2, n_lanes)).astype(dtype) for _ in range(2)]
    parts += [random.integers(1, 5, n_lanes), *sizes]
    return FirstOrderState(*parts)


def copy_of(state: FirstOrderState) -> FirstOrderState:
    """The state in arrays of its own."""
    parts: list[Any] = [part.copy() for part in state]
    return FirstOrderState(*parts)


def lane_of(model: FirstOrderModel, lane: int) -> FirstOrderModel:
    """The program of one lane alone."""
    own = slice(lane, lane + 1)
    parts: dict[str, Any] = {name: np.ascontiguousarray(getattr(model, name)[..., own]) for name in PER_LANE}
    return model._replace(amount=model.amount[own], **parts)

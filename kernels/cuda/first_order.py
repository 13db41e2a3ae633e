"""The first-order iteration on the device, with the plain loops' arguments.

A step is eight launches: average; gain; images of isotone variables (two), of boxed ones and of the premium; partial
sums of long constraints; prices. They write the state and room on the device, so steps follow without the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernels.cuda.first_order_rows import n_partial
from kernels.cuda.first_order_sets import boxed_kernel, pool_kernel, spread_kernel, total_kernel
from kernels.cuda.first_order_step import (
    average_kernel,
    gain_kernel,
    load_kernel,
    model_kernel,
    partial_kernel,
    price_kernel,
)
from kernels.cuda.first_order_sums import (
    PARTS,
    dual_sums_kernel,
    primal_sums_kernel,
    squares_kernel,
    totals_kernel,
)
from kernels.cuda.launch import launch, over, repeat
from kernels.cuda.memory import array_module

if TYPE_CHECKING:
    from kernels.contract import FirstOrderModel, FirstOrderState


def first_order_steps(model: FirstOrderModel, state: FirstOrderState, n_steps: int) -> None:
    """Make steps in every lane; arguments as in `kernels.loops.first_order`."""
    name, primal, dual = "first_order_steps", state.primal, state.dual
    value, partial = array_module().empty_like(primal), _partial_room(model)
    check_model(name, model)
    n_isotone, n_lanes = model.n_isotone, primal.shape[2]
    n_boxed, own = (primal.shape[0] - 1 - n_isotone) * primal.shape[1], {"model": model, "state": state, "value": value}
    repeat(
        name, n_steps,
        (average_kernel, over(primal.size + dual.size), {"state": state}),
        (gain_kernel, over(primal.size), {"model": model, "dual": dual, "result": value}),
        (pool_kernel, over(n_isotone * n_lanes), own),
        (spread_kernel, over(n_isotone * n_lanes), own),
        (boxed_kernel, over(n_boxed * n_lanes), own),
        (total_kernel, over(n_lanes), own),
        (partial_kernel, over(partial.size), {"model": model, "primal": value, "partial": partial}),
        (price_kernel, over(dual.size), own | {"partial": partial}),
    )  # fmt: skip


def first_order_gain(model: FirstOrderModel, dual: Any, result: Any) -> None:
    """What a unit of each variable gains after prices; arguments as in `kernels.loops.first_order`."""
    check_model("first_order_gain", model)
    launch("first_order_gain", gain_kernel, over(result.size), model=model, dual=dual, result=result)


def first_order_load(model: FirstOrderModel, primal: Any, result: Any) -> None:
    """What the variables load each constraint with; arguments as in `kernels.loops.first_order`."""
    name, partial = "first_order_load", _partial_room(model)
    check_model(name, model)
    launch(name, partial_kernel, over(partial.size), model=model, primal=primal, partial=partial)
    launch(name, load_kernel, over(result.size), model=model, primal=primal, partial=partial, result=result)


def first_order_errors(model: FirstOrderModel, state: FirstOrderState, errors: Any) -> None:
    """Squared distances by which a restart is judged; arguments as in `kernels.loops.first_order`."""
    name, primal = "first_order_errors", state.primal
    moved, partial, n_lanes = array_module().empty_like(primal), _partial_room(model), primal.shape[2]
    sums = array_module().empty((5, _n_parts(primal), n_lanes), "float64")
    grid = over(sums.shape[1] * n_lanes)
    check_model(name, model)
    launch(name, primal_sums_kernel, grid, state=state, moved=moved, sums=sums)
    launch(name, partial_kernel, over(partial.size), model=model, primal=moved, partial=partial)
    launch(name, dual_sums_kernel, grid, model=model, state=state, moved=moved, partial=partial, sums=sums)
    launch(name, totals_kernel, over(errors.size), sums=sums, totals=errors)


def first_order_squares(value: Any, total: Any) -> None:
    """Sum of squares of every lane; arguments as in `kernels.loops.first_order`."""
    sums = array_module().empty((1, _n_parts(value), value.shape[2]), "float64")
    launch("first_order_squares", squares_kernel, over(sums.size), value=value, sums=sums)
    launch("first_order_squares", totals_kernel, over(total.size), sums=sums, totals=total.reshape(1, -1))


def _n_parts(value: Any) -> int:
    return int(min(PARTS, value.shape[0] * value.shape[1]))


def _partial_room(model: FirstOrderModel) -> Any:
    """Room for the partial sums of long constraints, for `partial_kernel`."""
    n = n_partial(model.constraint_factor.size, model.revenue.shape[0])
    return array_module().empty((max(n, 1), *model.gain.shape[1:]), model.gain.dtype)


def check_model(name: str, model: FirstOrderModel) -> None:
    """Have the device look at every index of a model. Parameters: name, of the kernel that is about to use them."""
    n = max(model.constraint_variable_idx.size, model.gate.shape[0], model.gain.shape[0])
    launch(name, model_kernel, over(n), model=model)

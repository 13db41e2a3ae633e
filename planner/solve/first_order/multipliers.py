"""From prices of the compact program to a relaxation: all multipliers of a certificate, and aims for search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS
from planner.solve.demand import prices_cents_per_w
from planner.solve.relaxation import PoolPattern, Relaxation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.solve.first_order.program import CompactProgram

_ONE = 2.0**SHARE_BITS
_SMALLEST_WEIGHT = 1e-3


def kept_over_time(gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multipliers of never falling that are best for these gains.

    From the end, each takes from the period before what a loss in its own period needs, so that no period from the
    first worth starting in on is left at a loss: the bound of an isotone variable is then its best suffix sum.
    Parameters: gain [..., n_periods] of one unit in each period. Returns the same shape, 0 in period 0.
    """
    result = np.zeros_like(gain)
    following = np.zeros(gain.shape[:-1])
    for period in reversed(range(1, gain.shape[-1])):
        following = np.maximum(following - gain[..., period], 0.0)
        result[..., period] = following
    return result


def carried_on(gain: NDArray[np.float64], falls: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Multipliers of never falling that hand gains on to where room is least: what stands must fit there, too.

    Parameters: gain [..., n_periods] of one unit; falls, the same shape, whether a later period has less room. Returns
    the same shape, 0 in period 0.
    """
    result = np.zeros_like(gain)
    for period in range(1, gain.shape[-1]):
        left = np.maximum(gain[..., period - 1] + result[..., period - 1], 0.0)
        result[..., period] = np.where(falls[..., period - 1], left, 0.0)
    return result


def _monotone(program: CompactProgram, lane: int, gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n_row_classes, n_systems, n_periods] of the racks of each class together."""
    gain = _of(gain, program.racks)
    carried = carried_on(gain, program.lasting[..., lane] < program.room[..., lane])
    left = gain + carried
    left[..., :-1] -= carried[..., 1:]
    return carried + kept_over_time(left)


def relaxation_of(
    program: CompactProgram,
    lane: int,
    primal: NDArray[np.float64],
    dual: NDArray[np.float64],
    gain: NDArray[np.float64],
    status: str,
    value: float,
) -> Relaxation:
    """Lift prices and values of one lane to the whole problem, a class's divided among its members.

    Parameters: primal [n_variables, n_periods]; dual [n_constraints, n_periods] in cents, the premium's last; gain
    [n_variables, n_periods] of a unit of each variable in cents, after prices; status, for reports; value
    of the racks in cents.
    """
    classes, problem = program.classes, program.problems[lane]
    limit = _of(dual, program.limit_constraint) / program.limit_size[:, None] / _ONE
    inside = _of(dual, program.inside_constraint) / program.limit_size[:, None, None] / _ONE
    kept = kept_over_time(gain)
    monotone = _monotone(program, lane, gain) / program.row_size[:, None, None]
    opening = _of(kept, program.blocks) / program.block_size[:, None, None]
    units = _of(kept, program.units) / program.block_size[:, None, None]
    price = dual[-1]
    rate = problem.contract_rate / _ONE
    return Relaxation(
        limit=limit[classes.limit],
        inside=inside[classes.limit],
        monotone=monotone[classes.row],
        opening=opening[classes.block],
        units=units[classes.block],
        contract_period=price,
        contract_amount=float(max(0.0, (rate - price).max())) if problem.contract_amount else 0.0,
        racks=racks_of(program, primal)[classes.row],
        pool=pool_of(program, primal),
        status=status,
        demand=_demand(program, lane, dual),
        value=value,
    )


def racks_of(program: CompactProgram, primal: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n_row_classes, n_configurations, n_periods] of each row."""
    racks = _of(primal, program.upgrades)
    standing = _of(primal, program.racks)
    system = program.base.system_of_configuration_idx
    for configuration, own in enumerate(system):
        rows = np.flatnonzero(program.base_profile[:, own] == configuration)
        others = racks[:, system == own].sum(axis=1) - racks[:, configuration]
        racks[rows, configuration] = np.maximum(standing[rows, own] - others[rows], 0.0)
    return racks


def pool_of(program: CompactProgram, primal: NDArray[np.float64]) -> tuple[PoolPattern, ...]:
    """Fillings in use: the average racks of the blocks of a class that hold a system, with their number at the end."""
    held, standing = _of(primal, program.blocks), _of(primal, program.racks)
    racks = np.zeros_like(held)
    np.add.at(racks, program.block_of_row, standing * program.rows_of_block[:, None, None])
    weights: dict[tuple[int, int, int], float] = {}
    last = held.shape[2] - 1
    for block, system, period in np.argwhere(held > _SMALLEST_WEIGHT):
        n_racks = round(float(racks[block, system, period] / held[block, system, period]))
        key = (int(block), int(system), n_racks)
        if n_racks > 0:
            own = float(held[block, system, period] * program.block_size[block]) if period == last else 0.0
            weights[key] = weights.get(key, 0.0) + own
    return tuple(PoolPattern(*key, weight=weights[key]) for key in sorted(weights))


def _of(values: NDArray[np.float64], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values by number, 0 where there is none."""
    return np.where(numbers[..., None] >= 0, values[numbers], 0.0)


def _demand(program: CompactProgram, lane: int, dual: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n_minimum_demands, n_periods] part of each price."""
    demands = program.problems[lane].minimum_demands
    result = np.zeros((len(demands), program.base.n_periods))
    for index, demand in enumerate(demands):
        price = prices_cents_per_w(demand)
        own = dual[program.demand_constraint[index]]
        result[index] = np.divide(own, price, out=np.zeros_like(price), where=price > 0.0)
    return result

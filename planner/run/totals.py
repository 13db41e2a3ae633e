"""What a plan amounts to in each period: racks, GPUs, watts and contract revenue."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.run.loads import rounded_up
from sites.calendar import quarter_index
from sites.expansion.ids import SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from planner.lower.lowered import Lowered, MeterLoad
    from planner.problem import Problem
    from sites.catalog.loader import Catalog
    from sites.expansion.graphs import SiteGraphs
    from sites.schema.common import CapacityStep
    from sites.world import World

JOINT = "joint"
"""Key of the sum over sites in totals by site."""


@dataclass(frozen=True)
class ConfigurationFacts:
    """What the totals need to know of a configuration."""

    name: str
    system: str
    generation: str
    title: str
    gpus: int
    it_w: int


@dataclass(frozen=True)
class PeriodTotals:
    """Totals of one period; `docs/formats.md` defines each."""

    period: str
    racks: dict[str, int]
    gpus: int
    it_w: int
    meter_w: dict[str, int]
    plan_meter_w: dict[str, int]
    envelope_w: int
    contract_revenue_cents: int
    contract_used_cents: int


def configuration_facts(catalog: Catalog, names: Sequence[str]) -> tuple[ConfigurationFacts, ...]:
    """Facts of the named configurations, in order; draws are rounded up to whole watts as in lowering."""
    facts = []
    for name in names:
        configuration = catalog.configuration(name)
        system, gpus = configuration.system, configuration.system.gpu_packages.value
        if gpus is None:
            msg = f"catalogue entry '{name}' lacks its number of GPUs"
            raise ValueError(msg)
        title = system.title if configuration.profile.name == "standard" else f"{system.title}, {_profile_title(name)}"
        facts.append(ConfigurationFacts(name, system.name, system.generation, title, gpus, _sustained_w(catalog, name)))
    return tuple(facts)


def _sustained_w(catalog: Catalog, name: str) -> int:
    sustained = catalog.configuration(name).profile.sustained_max.value
    if sustained is None:
        msg = f"catalogue entry '{name}' lacks its sustained power"
        raise ValueError(msg)
    return math.ceil(sustained)


def _profile_title(name: str) -> str:
    return name.partition("/")[2].replace("max-", "Max-").replace("-q", "-Q").replace("-p", "-P")


def step_at(steps: Sequence[CapacityStep] | Sequence[tuple[str, int]], period: str) -> int:
    """Capacity that holds in a period, whole watts, rounded down; 0 before the first step.

    Parameters: steps, ascending, schema steps or (quarter, W) pairs; period, e.g. "2027-Q1".
    """
    capacity = 0
    for step in steps:
        start, watts = step if isinstance(step, tuple) else (step.start, step.capacity)
        if quarter_index(start) <= quarter_index(period):
            capacity = math.floor(watts)
    return capacity


def meter_steps(graphs: SiteGraphs) -> tuple[tuple[str, int], ...]:
    """Capacity at the meter over time, (quarter, W): the service, firm and not, and the site's own plant."""
    return tuple((start, math.floor(watts)) for start, watts in graphs.power.nodes[SERVICE]["capacity_steps"])


def system_counts(problem: Problem, n_racks: NDArray[np.int32]) -> NDArray[np.int64]:
    """N[r,s,t]: standing racks of each system, [n_rows, n_systems, n_periods]."""
    counts = np.zeros((problem.n_rows, problem.n_systems, problem.n_periods), dtype=np.int64)
    for configuration, system in enumerate(problem.system_of_configuration_idx):
        counts[:, system, :] += n_racks[:, configuration, :]
    return counts


def contract_use(problem: Problem, n_racks: NDArray[np.int32]) -> tuple[list[int], list[int]]:
    """Contract revenue of each period and how much of it the contract takes, earliest first, in cents."""
    standing = np.asarray(n_racks, dtype=np.int64)
    revenue = [int((problem.contract_revenue[:, :, t] * standing[:, :, t]).sum()) for t in range(problem.n_periods)]
    left, used = problem.contract_amount, []
    for cents in revenue:
        used.append(min(cents, left))
        left -= used[-1]
    return revenue, used


@dataclass(frozen=True)
class MeterTotals:
    """Watts in each period: at each site's meter, the plan's share of them, and what the envelope counts."""

    everything: tuple[dict[str, int], ...]
    plan_only: tuple[dict[str, int], ...]
    envelope: tuple[int, ...]


def meter_totals(world: World, lowered: Lowered, n_racks: NDArray[np.int32]) -> MeterTotals:
    """Watts at the meters and under the envelope, each rounded up once.

    Parameters: world and lowered; n_racks, [n_rows, n_configurations, n_periods].
    """
    standing = np.asarray(n_racks, dtype=np.int64)
    everything: list[dict[str, int]] = []
    plan_only: list[dict[str, int]] = []
    envelope: list[int] = []
    for t in range(lowered.problem.n_periods):
        plan = {one.site: _plan_scaled(one, standing, t) for one in lowered.meters}
        whole = {one.site: plan[one.site] + one.constant[t] + one.occupied[t] for one in lowered.meters}
        everything.append(_with_joint(whole))
        plan_only.append(_with_joint(plan))
        if world.portfolio.envelope.basis == "meter":
            envelope.append(rounded_up(sum(plan.values())))
        else:
            envelope.append(_it_w(lowered, standing, t))
    return MeterTotals(tuple(everything), tuple(plan_only), tuple(envelope))


def _plan_scaled(meter: MeterLoad, standing: NDArray[np.int64], t: int) -> int:
    """What the plan's racks draw at a site's meter in a period, scaled by 2^20."""
    own = standing[meter.first_row : meter.first_row + meter.coefficient.shape[0], :, t]
    return int((meter.coefficient[:, :, t] * own).sum())


def _with_joint(scaled: Mapping[str, int]) -> dict[str, int]:
    watts = {site: rounded_up(value) for site, value in scaled.items()}
    return {**watts, JOINT: sum(watts.values())}


def _it_w(lowered: Lowered, standing: NDArray[np.int64], t: int) -> int:
    """IT watts of the plan's racks in a period."""
    racks = standing[:, : len(lowered.configurations), t].sum(axis=0)
    return sum(int(n) * one.it_w for n, one in zip(racks, lowered.configurations, strict=True))


def period_totals(
    world: World, lowered: Lowered, n_racks: NDArray[np.int32], facts: Sequence[ConfigurationFacts]
) -> tuple[PeriodTotals, ...]:
    """Totals of every decision period.

    Parameters: world and lowered; n_racks, [n_rows, n_configurations, n_periods], racks of refreshes counted with those
    of their configurations; facts, of the configurations on offer.
    """
    problem = lowered.problem
    racks = np.asarray(n_racks, dtype=np.int64).sum(axis=0)
    revenue, used = contract_use(problem, n_racks)
    meters = meter_totals(world, lowered, n_racks)
    totals = []
    for t, period in enumerate(problem.periods):
        by_configuration = {fact.name: int(racks[k, t]) for k, fact in enumerate(facts)}
        gpus = sum(fact.gpus * by_configuration[fact.name] for fact in facts)
        it_w = sum(fact.it_w * by_configuration[fact.name] for fact in facts)
        totals.append(
            PeriodTotals(
                period,
                by_configuration,
                gpus,
                it_w,
                meters.everything[t],
                meters.plan_only[t],
                meters.envelope[t],
                revenue[t],
                used[t],
            )
        )
    return tuple(totals)

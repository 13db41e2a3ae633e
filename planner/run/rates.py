"""What racks do for workloads by measurement, and what that rests on, as a run states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.throughput import ThroughputError
from sites.workloads import measured_rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.catalog.loader import Configuration
    from sites.schema.throughput import ThroughputBasis
    from sites.schema.workload import Workload
    from sites.world import World


@dataclass(frozen=True)
class WorkRate:
    """One rack of a configuration at a workload's service level."""

    workload: str
    configuration: str
    rate_per_s: float | None
    """Of what the basis counts, as measured: before goodput, gains and work factor; None where it cannot serve."""
    reason: str | None
    """Why it cannot serve; None where it does."""
    software: str | None
    measured: str | None
    """Quarter of the measurement."""
    status: str | None
    """The weakest of the figures that the rate rests on."""
    interpolated: bool
    """Whether it lies between two measured points."""
    ttft_unchecked: bool
    """Whether a time to first token is asked that a point which serves does not state."""
    note: str | None
    """What is assumed about the power profile, if anything."""


def work_rates(world: World) -> tuple[WorkRate, ...]:
    """Every workload with every configuration on offer, in order of the portfolio; empty where nothing works."""
    return tuple(_rates(world))


def _rates(world: World) -> Iterator[WorkRate]:
    offered = [world.catalog.configuration(name) for name in world.portfolio.configurations]
    for workload in world.portfolio.workloads:
        for configuration in offered:
            yield _rate(world.catalog.throughput[workload.basis], configuration, workload)


def _rate(basis: ThroughputBasis, configuration: Configuration, workload: Workload) -> WorkRate:
    try:
        found = measured_rate(basis, configuration, workload)
    except ThroughputError as error:
        return WorkRate(workload.name, configuration.name, None, str(error), None, None, None, False, False, None)
    return WorkRate(
        workload=workload.name,
        configuration=configuration.name,
        rate_per_s=float(found.rate_per_s),
        reason=None,
        software=found.curve.software,
        measured=found.curve.measured,
        status=found.status.value,
        interpolated=len(found.points) > 1,
        ttft_unchecked=found.ttft_unchecked,
        note=found.note,
    )

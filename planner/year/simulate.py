"""Run the hourly kernel over scenarios, on as many threads as asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kernels.backends import kernel, resolve
from kernels.hourly import N_ENERGIES, N_HOURS_KINDS, YearInput, YearResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernels.hourly import YearModel
    from planner.year.scenarios import Scenario


def empty_result(n_sites: int, n_classes: int, n_plants: int, n_scenarios: int) -> YearResult:
    """A result to be written."""
    return YearResult(
        energy_wh=np.zeros((n_sites, N_ENERGIES, n_scenarios)),
        hours=np.zeros((n_sites, N_HOURS_KINDS, n_scenarios), dtype=np.int64),
        peak_w=np.zeros((n_sites + 1, n_scenarios)),
        peak_hour=np.zeros((n_sites + 1, n_scenarios), dtype=np.int64),
        class_over_hours=np.zeros((n_classes, n_scenarios), dtype=np.int64),
        plant_over_hours=np.zeros((n_plants, n_scenarios), dtype=np.int64),
    )


def simulate(
    model: YearModel,
    dry_bulb_degc: NDArray[np.float64],
    drawn: Sequence[Scenario],
    backend: str = "auto",
    n_threads: int = 1,
) -> YearResult:
    """Every hour of every site under every scenario.

    Parameters: model; dry bulb, [n_sites, n_hours]; drawn scenarios; backend; n_threads, each with a part of the
    scenarios. The result does not depend on n_threads. Raises BackendError when the backend does not run here.
    """
    run = kernel("hourly_year", resolve(backend) if backend != "reference" else backend)

    def part(some: Sequence[Scenario]) -> YearResult:
        result = empty_result(len(dry_bulb_degc), len(model.kind), len(model.heat_w), len(some))
        offsets = np.array([one.temperature_offset_k for one in some])
        factors = np.array([one.load_factor for one in some])
        run(model, YearInput(np.ascontiguousarray(dry_bulb_degc), offsets, factors), result)
        return result

    n_parts = max(1, min(n_threads, len(drawn)))
    cuts = [len(drawn) * number // n_parts for number in range(n_parts + 1)]
    with ThreadPoolExecutor(n_parts) as pool:
        parts = list(pool.map(part, [drawn[a:b] for a, b in pairwise(cuts)]))
    return YearResult(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))

"""Run the hourly kernel over scenarios, on as many threads as asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels.backends import home, kernel, resolve
from kernels.hourly import N_ENERGIES, N_HOURS_KINDS, N_WATERS, YearInput, YearResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernels.hourly import YearModel
    from planner.year.scenarios import Scenario
    from sites.weather.hours import WeatherYear


class AirYears(NamedTuple):
    """Air of every site, [n_sites, n_hours] each."""

    dry_bulb_degc: NDArray[np.float64]
    wet_bulb_degc: NDArray[np.float64]


def air_years(years: Sequence[WeatherYear]) -> AirYears:
    """The air of some years, one for each site."""
    return AirYears(
        np.ascontiguousarray([year.dry_bulb_degc for year in years]),
        np.ascontiguousarray([year.wet_bulb_degc for year in years]),
    )


def site_air(air: AirYears, site: int) -> AirYears:
    """The air of one site alone."""
    return AirYears(air.dry_bulb_degc[site : site + 1], air.wet_bulb_degc[site : site + 1])


def empty_result(n_sites: int, n_hours: int, n_classes: int, n_plants: int, n_scenarios: int) -> YearResult:
    """A result to be written."""
    return YearResult(
        energy_wh=np.zeros((n_sites, N_ENERGIES, n_scenarios)),
        water_l=np.zeros((n_sites, N_WATERS, n_scenarios)),
        hours=np.zeros((n_sites, N_HOURS_KINDS, n_scenarios), dtype=np.int64),
        peak_w=np.zeros((n_sites + 1, n_scenarios)),
        peak_hour=np.zeros((n_sites + 1, n_scenarios), dtype=np.int64),
        class_over_hours=np.zeros((n_classes, n_scenarios), dtype=np.int64),
        plant_over_hours=np.zeros((n_plants, n_scenarios), dtype=np.int64),
        plant_beyond_hours=np.zeros((n_plants, n_scenarios), dtype=np.int64),
        meter_w=np.zeros((n_sites, n_hours)),
    )


def simulate(
    model: YearModel,
    air: AirYears,
    drawn: Sequence[Scenario],
    backend: str = "auto",
    n_threads: int = 1,
) -> YearResult:
    """Every hour of every site under every scenario.

    Parameters: model; air of each site; drawn scenarios; backend; n_threads, each with a part of the scenarios (the
    backend cuda takes them all at once). The result does not depend on n_threads. Raises BackendError when the backend
    does not run here.
    """
    backend = resolve(backend) if backend != "reference" else backend
    run, there = kernel("hourly_year", backend), home(backend)
    held, dry, wet = there.put(model), there.put(air.dry_bulb_degc), there.put(air.wet_bulb_degc)

    def part(some: Sequence[Scenario]) -> YearResult:
        n_sites, n_hours = air.dry_bulb_degc.shape
        result = there.put(empty_result(n_sites, n_hours, len(model.kind), len(model.heat_w), len(some)))
        offsets = there.put(np.array([one.temperature_offset_k for one in some]))
        factors = there.put(np.array([one.load_factor for one in some]))
        run(held, YearInput(dry, wet, offsets, factors), result)
        return there.get(result)

    n_parts = 1 if backend == "cuda" else max(1, min(n_threads, len(drawn)))
    cuts = [len(drawn) * number // n_parts for number in range(n_parts + 1)]
    shares = [drawn[a:b] for a, b in pairwise(cuts)]
    if n_parts == 1:  # in this thread, whose device stream the copies above are on
        parts = [part(shares[0])]
    else:
        with ThreadPoolExecutor(n_parts) as pool:
            parts = list(pool.map(part, shares))
    columns = dict(zip(YearResult._fields, zip(*parts, strict=True), strict=True))
    meters = columns.pop("meter_w")
    joined = {name: np.concatenate(arrays, axis=-1) for name, arrays in columns.items()}
    return YearResult(**joined, meter_w=meters[0])

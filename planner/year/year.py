"""The hourly year of a run folder from inputs to document."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from kernels.backends import resolve
from planner.run.folder import INPUTS, PLAN, read_json, require_run_folder
from planner.year.document import year_document
from planner.year.model import plan_year
from planner.year.risk import flex_risk
from planner.year.scenarios import LOAD_SPREAD, TEMPERATURE_SPREAD_K, scenarios
from planner.year.simulate import air_years, simulate, site_air
from planner.year.weather import site_weather
from sites.faults import Fault, InputError
from sites.nearest import unknown
from sites.world import load_world_from_inputs

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class YearRequest:
    """What to work out."""

    weather: tuple[str, ...] = ()
    """`FILE` for all sites, or `SITE=FILE`."""
    n_scenarios: int = 1
    period: str | None = None
    """Quarter of the plan whose racks run all year; None: the last."""
    seed: int = 1
    temperature_spread_k: float = TEMPERATURE_SPREAD_K
    load_spread: float = LOAD_SPREAD
    backend: str = "auto"
    n_threads: int = 2


def year_of_run(run: Path, request: YearRequest) -> dict[str, Any]:
    """The document of a run's year.

    Parameters: run folder; request. Raises InputError for faults of the run, the weather and the period, and
    BackendError when the backend does not run here.
    """
    require_run_folder(run)
    began = monotonic()
    document, world = read_json(run / PLAN), load_world_from_inputs(run / INPUTS)
    period = _period(run, document, request.period)
    weather = site_weather(world, request.weather)
    plan = plan_year(world, document, period)
    drawn = scenarios(request.n_scenarios, request.seed, request.temperature_spread_k, request.load_spread)
    air = air_years([one.year for one in weather])
    backend = request.backend if request.backend == "reference" else resolve(request.backend)
    result = simulate(plan.model, air, drawn, backend, request.n_threads)
    made = {
        "portfolio": document["portfolio"],
        "period": period,
        "workload": world.portfolio.money.workload,
        "planned_annual_pue": float(world.portfolio.money.annual_pue),
        "seed": request.seed,
        "backend": backend,
    }
    risks = [
        flex_risk(world, one, graphs, document, period, site_air(air, index), drawn, backend)
        for index, (one, graphs) in enumerate(zip(world.sites, plan.graphs, strict=True))
    ]
    found = year_document(plan, period, weather, drawn, result, risks)
    return {**found, **made, "wall_s": monotonic() - began}


def _period(run: Path, document: dict[str, Any], asked: str | None) -> str:
    periods: list[str] = document["periods"]
    if asked is None:
        return periods[-1]
    if asked not in periods:
        raise InputError([Fault(str(run / PLAN), None, "--period", unknown("period", asked, periods))])
    return asked

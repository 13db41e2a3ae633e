"""The year of library sites: the design hour under the linear meter, PUE and WUE beside published ones, and speed."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import pytest
from year_cases import filled, filled_year, library_world

from kernels.hourly import FACILITY_WH, IT_WH, SUPPORT_WH
from planner.run.draws import configuration_draw, occupied_draws, scaled
from planner.run.flow import SiteFlow
from planner.year.scenarios import Scenario, scenarios
from planner.year.simulate import AirYears, air_years, simulate
from sites.weather.stations import STATIONS, bundled_year

if TYPE_CHECKING:
    from kernels.hourly import YearResult

LIBRARY = (
    "abilene",
    "abilene-expansion",
    "colossus-2",
    "fairwater-atlanta",
    "fairwater-wisconsin",
    "hyperion",
    "new-carlisle",
    "prometheus",
    "reference-1gw",
)


def design_hour(site: str) -> YearResult:
    """A filled library site with every rack at its sustained maximum on the design day."""
    [one] = library_world(site).sites
    climate = one.site.climate
    wet = climate.design_dry_bulb if climate.design_wet_bulb is None else climate.design_wet_bulb
    day = AirYears(np.array([[float(climate.design_dry_bulb)]]), np.array([[float(wet)]]))
    return simulate(filled(site)[0].model, day, [Scenario(0.0, 9.0)])


@pytest.mark.parametrize("site", LIBRARY)
def test_the_design_hour_draws_no_more_than_the_limits_book(site: str) -> None:
    """Racks at their sustained maximum on the design day: the linear meter is above the hour's, by less than 3 %."""
    plan, document = filled(site)
    world = library_world(site)
    [graphs] = plan.graphs
    placed = {
        p["row"]: scaled(configuration_draw(world.catalog, p["configuration"]), p["n_racks"])
        for p in document["placements"]
    }
    draws = occupied_draws(graphs, world.catalog) | placed
    linear_w = SiteFlow(graphs, document["quarter"], draws).normal_output_w("service")
    true_w = design_hour(site).peak_w[0, 0]
    assert true_w <= linear_w < 1.03 * true_w


PUBLISHED_PUE = {
    # Crusoe's target for Abilene is 1.2-1.3.
    "abilene": (1.2, 1.3),
    "abilene-expansion": (1.2, 1.3),
    # Microsoft: about 1.12 for recent builds, 1.16 for its fleet, and up to 1.25 for annual energy.
    "fairwater-atlanta": (1.12, 1.25),
    # Nothing is published for these three; annual energy is planned with 1.08 to 1.25.
    "hyperion": (1.08, 1.25),
    "prometheus": (1.08, 1.25),
    "colossus-2": (1.08, 1.25),
    # Below Microsoft's 1.12 for recent builds of all kinds, and why is told in docs/year.md. Google publishes 1.04 to
    # 1.06 for Ohio.
    "fairwater-wisconsin": (1.04, 1.12),
    # Nothing is built; its operator's kind of site is planned with 1.08 to 1.25.
    "reference-1gw": (1.08, 1.25),
}


@pytest.mark.parametrize("site", PUBLISHED_PUE)
def test_annual_pue_lies_in_the_published_range(site: str) -> None:
    low, high = PUBLISHED_PUE[site]
    assert low <= filled_year(site).pue <= high


def test_halls_cooled_by_outside_air_stay_below_their_operators_figures() -> None:
    """New Carlisle's live halls are house loads of 18 · 68 MW; the rest stays below 1.15, and 0.15 L/kWh."""
    year = filled_year("new-carlisle").document["sites"][0]
    energy = year["energy_mwh"]
    live_mwh = 18 * 68 * 8760
    ours = (energy["facility"] - live_mwh) / (energy["racks"] + energy["support"])
    assert energy["compressors"] == 0
    assert 1.08 < ours < 1.15
    assert 0 < year["wue_litres_per_kwh"]["base"] < 0.15
    litres = year["water_litres"]
    # Five cycles: a quarter of what evaporates is bled.
    assert litres["bleed"] == pytest.approx(litres["evaporated"] / 4)
    assert litres["makeup"] == pytest.approx(litres["evaporated"] + litres["bleed"])


def test_dry_sites_use_no_water() -> None:
    """Crusoe fills Abilene once and evaporates nothing; Microsoft's new designs evaporate nothing."""
    for site in ("abilene", "fairwater-atlanta"):
        year = filled_year(site).document["sites"][0]
        assert year["water_litres"]["makeup"] == year["hours_with_evaporation"] == 0


# Peak-power factors of Epoch AI, facility over IT.
PEAK_FACTORS = {"abilene": 1.40, "hyperion": 1.35, "colossus-2": 1.35, "fairwater-atlanta": 1.35}


@pytest.mark.parametrize("site", PEAK_FACTORS)
def test_the_design_hour_is_near_the_published_peak_factor(site: str) -> None:
    energy = design_hour(site).energy_wh[0, :, 0]
    ours = energy[FACILITY_WH] / (energy[IT_WH] + energy[SUPPORT_WH])
    assert ours == pytest.approx(PEAK_FACTORS[site], abs=0.06)


def test_a_1_gw_campus_runs_100_scenarios_within_a_minute() -> None:
    model, drawn = filled("reference-1gw")[0].model, scenarios(100, seed=1)
    began = monotonic()
    result = simulate(model, air_years([bundled_year(STATIONS[1])]), drawn, n_threads=2)
    assert monotonic() - began < 60
    assert result.energy_wh[0, FACILITY_WH].min() > 5e12

"""What stands at the meter over the year, and the hours in which rows with Flex would have to act."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures.small_site import PROVENANCE, small_catalog, small_site
from run_cases import make_run
from year_cases import air, library_world

from planner.cli.main import main
from planner.run.draws import configuration_draw, scaled
from planner.run.flow import SiteFlow
from planner.year.classes import existing, surviving
from planner.year.risk import flex_risk, worst_failure
from planner.year.scenarios import Scenario
from planner.year.sources import Sources, last_step, site_sources, supply
from sites.expansion import expand
from sites.schema.site import SiteFile

if TYPE_CHECKING:
    from pathlib import Path

SUPPLY = Sources(
    firm_w=60e6, non_firm_w=30e6, generation_w={"gas": 10e6}, fuel_usd_per_mwh={"gas": 40.0}, curtailed_hours=2.5
)


def test_supply_by_hand() -> None:
    """100 MW of 60 firm, 30 non-firm and 10 generated; four hours of 80, 75, 70 and 60 MW."""
    found = supply(SUPPLY, np.array([70e6, 80e6, 60e6, 75e6]))
    assert (found["firm_mw"], found["non_firm_mw"], found["generation_mw"]) == (60, 30, 10)
    assert found["generation_mwh"] == {"gas": pytest.approx(28.5)}
    assert found["fuel_usd"] == pytest.approx(28.5 * 40)
    assert (found["hours_on_non_firm"], found["non_firm_mwh"]) == (2, pytest.approx(15))
    # Two hours and a half: 10 MWh, 5 MWh, and nothing of the third.
    assert found["curtailed_mwh"] == pytest.approx(15)


def test_curtailment_takes_part_of_an_hour_and_no_more_than_the_year() -> None:
    low = Sources(0.0, 100e6, {}, {}, 1.5)
    assert supply(low, np.array([10e6, 30e6, 20e6]))["curtailed_mwh"] == pytest.approx(30 + 10)
    every = Sources(0.0, 100e6, {}, {}, 8760.0)
    assert supply(every, np.array([10e6, 30e6]))["curtailed_mwh"] == pytest.approx(40)


def test_steps_before_their_first_quarter_give_nothing() -> None:
    steps = (("2026-Q1", Fraction(5)), ("2027-Q1", Fraction(9)))
    assert [last_step(steps, quarter) for quarter in ("2025-Q4", "2026-Q4", "2028-Q1")] == [0, 5, 9]


def supplied_site() -> SiteFile:
    content = small_site()
    content["service"]["non_firm"] = {
        "steps": [{"start": "2027-Q1", "capacity": "4 MW"}],
        "curtailed_hours_per_year": "40 h",
        "notice": "30 min",
        "provenance": PROVENANCE,
    }
    content["generation"] = [
        {
            "name": "gas",
            "units": 3,
            "reserve": 1,
            "rating": "2 MW",
            "rated_dry_bulb": "18 degC",
            "derate_per_kelvin": 0.01,
            "in_service": "2027-Q3",
            "fuel_cost": "30 USD/MWh",
            "provenance": PROVENANCE,
        }
    ]
    return SiteFile.model_validate(content)


def test_sources_of_a_site_by_quarter() -> None:
    """Two of three sets of 2 MW, 10 K · 1 % less at 28 degC: 3.6 MW from the third quarter of 2027."""
    graphs = expand(supplied_site(), small_catalog())
    early, late = site_sources(graphs, "2027-Q1"), site_sources(graphs, "2027-Q3")
    assert (early.firm_w, early.non_firm_w, early.generation_w, early.curtailed_hours) == (10e6, 4e6, {"gas": 0}, 40)
    assert (late.generation_w, late.fuel_usd_per_mwh, late.capacity_w) == ({"gas": 3.6e6}, {"gas": 30}, 17.6e6)


# --- Hours at risk ----------------------------------------------------------------------------------------------------


def risk_of(toy: str, n_racks: int, *factors: float) -> dict[str, object] | None:
    world = library_world(toy)
    [one] = world.sites
    graphs = expand(one.site, world.catalog)
    row = next(node for node, fields in graphs.containment.nodes(data=True) if fields["kind"] == "row")
    quarter = str(graphs.containment.nodes[row]["in_service"])
    placed = [{"site": one.name, "row": row, "configuration": "gb200-nvl72", "period": quarter, "n_racks": n_racks}]
    drawn = [Scenario(0.0, factor) for factor in factors]
    return flex_risk(world, one, graphs, {"placements": placed}, quarter, air([10.0] * 24), drawn, "reference")


def test_hours_at_risk_by_hand() -> None:
    """Eleven racks of 132 kW on 1,000 kW: 1.452 at their most; on average 0.7 of it, 1.0164, so every hour."""
    found = risk_of("toy-flex-before", 11, 1.0, 0.9)
    assert found is not None
    assert "/ups-" in str(found["element"])
    assert found["load_at_most"] == pytest.approx(1.452)
    assert found["hours"] == {"base": 24, "most": 24}


def test_hours_at_risk_follow_the_load_of_the_scenario() -> None:
    """Ten racks carry 0.924 on average, 1.016 in a year that is fuller by a tenth."""
    found = risk_of("toy-flex-before", 10, 1.0, 1.1)
    assert found is not None
    assert found["hours"] == {"base": 0, "most": 24}


def test_sites_without_flex_have_no_hours_at_risk() -> None:
    assert risk_of("toy-power-contingency", 4, 1.0) is None


def test_the_worst_failure_is_the_one_that_fills_a_survivor_most() -> None:
    world = library_world("toy-flex-mixed")
    [one] = world.sites
    graphs = expand(one.site, world.catalog)
    rows = {node: fields for node, fields in graphs.containment.nodes(data=True) if fields["kind"] == "row"}
    quarter = max(str(fields["in_service"]) for fields in rows.values())
    draw = configuration_draw(world.catalog, "gb200-nvl72")
    flow = SiteFlow(graphs, quarter, {row: scaled(draw, 5) for row in rows})
    flexible = {row for row, fields in rows.items() if fields["flex"]}
    worst = worst_failure(flow, graphs, flexible)
    assert worst is not None
    assert worst.load == pytest.approx(1.32)
    assert worst_failure(flow, graphs, set()) is None


def test_what_hangs_on_lost_elements_alone_is_lost_with_them() -> None:
    """One of two feeds of a row is lost: the row lives on; both: the row and the busways die."""
    graphs = expand(supplied_site(), small_catalog())
    alive = existing(graphs, "2030-Q4")
    row = next(node for node, fields in graphs.power.nodes(data=True) if fields["kind"] == "row")
    feeds = list(graphs.power.pred[row])
    assert len(feeds) == 2
    assert row in surviving(graphs.power, alive, feeds[:1])
    gone = alive - surviving(graphs.power, alive, feeds)
    assert gone == {row, *feeds}


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toy", "words"),
    [
        ("toy-non-firm", "that are not firm; "),
        ("toy-generation", " generates "),
        ("toy-fluid-cooler", "m³ of water evaporate (the bleed is not known: 'cycles_of_concentration' is missing)"),
        ("toy-flex-before", "an element exceeds its rating in 8,760 hours of the year until Flex acts"),
    ],
)
def test_the_command_says_what_stands_beside_the_firm_service(
    toy: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weather = tmp_path / "mild.csv"
    weather.write_text("\n".join(["dry_bulb_degc,wet_bulb_degc", *["20,15"] * 8760]), encoding="utf-8")
    make_run(toy, tmp_path / "run")
    with pytest.raises(SystemExit) as ended:
        main(["year", str(tmp_path / "run"), "--weather", str(weather)])
    assert ended.value.code == 0
    printed = capsys.readouterr()
    assert words in printed.out + printed.err

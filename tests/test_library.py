"""The bundled library: every file loads, expands, passes its checks and says where its figures come from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planner.errors import InfeasibleError
from planner.lower import lower
from sites import library
from sites.calendar import quarter_index
from sites.catalog.loader import load_catalog
from sites.checks import check
from sites.expansion import expand
from sites.loading import load_model
from sites.schema.common import Provenance, Status
from sites.schema.portfolio import PortfolioFile
from sites.schema.site import SiteFile
from sites.world import load_world

if TYPE_CHECKING:
    from sites.expansion.graphs import SiteGraphs

SITES = sorted((library.FOLDER / "sites").glob("*.yaml"))
PORTFOLIOS = sorted((library.FOLDER / "portfolios").glob("*.yaml"))
PROJECT = Path(__file__).parent.parent

ROWS = {
    "abilene": 8 * 13 * 6,
    "abilene-expansion": 2 * 40 * 6,
    "colossus-2": 2 * 56 * 6,
    "fairwater-atlanta": 6 * 7 * 16,
    "fairwater-wisconsin": 2 * 17 * 16 + 9 * 8 * 16,
    "hyperion": 9 * 22 * 6,
    "new-carlisle": 18 * 6 + 14 * 7 * 6,
    "prometheus": 14 * 9 * 6,
    "reference-1gw": 100 * 6,
}
LIVE_METER_MW = {
    # Facility power that Epoch AI dates before 2026-11-21; Prometheus by the later edition, 496 MW of IT times 1.3.
    "abilene": 1180,
    "abilene-expansion": 0,
    "colossus-2": 1276,
    "fairwater-atlanta": 859,
    "fairwater-wisconsin": 442,
    "hyperion": 0,
    "new-carlisle": 1244,
    "prometheus": 645,
}


@cache
def site_file(name: str) -> SiteFile:
    return load_model(library.FOLDER / "sites" / f"{name}.yaml", SiteFile)


@cache
def graphs(name: str) -> SiteGraphs:
    return expand(site_file(name), load_catalog())


def rows(name: str) -> list[dict[str, object]]:
    return [data for _, data in graphs(name).containment.nodes(data=True) if data["kind"] == "row"]


def provenances(value: object) -> list[Provenance]:
    """Every provenance below a schema object."""
    if isinstance(value, Provenance):
        return [value]
    if isinstance(value, (tuple, list)):
        return [found for item in value for found in provenances(item)]
    if isinstance(value, dict):
        return [found for item in value.values() for found in provenances(item)]
    if hasattr(value, "model_fields_set"):
        return [found for item in vars(value).values() for found in provenances(item)]
    return []


def test_the_library_holds_the_sites_that_are_counted_here() -> None:
    assert {path.stem for path in SITES} == set(ROWS)
    assert {path.stem for path in PORTFOLIOS} == {
        "claude-on-azure-1gw",
        "default",
        "reference-1gw",
        "us-frontier",
        "world-frontier",
    }


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_every_site_is_named_like_its_file_and_can_be_planned_by_name(path: Path) -> None:
    assert site_file(path.stem).name == path.stem
    world = load_world(path)
    assert [site.name for site in world.sites] == [path.stem]
    assert world.portfolio.name == path.stem
    assert world.portfolio.title == f"{path.stem} under default supply and money"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_site_expands_without_errors_to_the_rows_that_its_counts_give(name: str) -> None:
    assert [finding for finding in check(graphs(name)) if finding.severity == "error"] == []
    assert len(rows(name)) == ROWS[name]


@pytest.mark.parametrize("name", sorted(set(ROWS) - {"reference-1gw"}))
def test_real_sites_have_no_warning_but_the_reference_is_small_on_purpose(name: str) -> None:
    assert check(graphs(name)) == []


def test_the_reference_reports_its_small_substation_and_chillers_warmer_than_their_curves() -> None:
    findings = {each.element.rsplit("/", 1)[-1]: each.message for each in check(graphs("reference-1gw"))}
    assert len(findings) == len(check(graphs("reference-1gw"))) == 2
    assert "its chillers leave at 24 degC in air of 39.5 degC" in findings.pop("plant-cold")
    (substation,) = findings.values()
    assert "unit-substation" in substation
    assert "2,876,790 W" in substation


@pytest.mark.parametrize("name", sorted(ROWS))
def test_all_power_text_cites_a_source_and_real_sites_cite_their_ramp(name: str) -> None:
    site = site_file(name)
    found = provenances(site)
    assert len(found) >= 10
    assert all(len(each.source) >= 20 for each in found)
    if name == "reference-1gw":
        assert {each.status for each in found} <= {Status.ASSUMPTION, Status.PUBLISHED}
        assert site.service.provenance.status is Status.ASSUMPTION
    else:
        assert "Epoch AI" in site.service.provenance.source
        assert "CC BY 4.0" in site.service.provenance.source
        assert site.service.provenance.status is Status.ESTIMATE
        assert site.energy_price_provenance.status is Status.PUBLISHED


@pytest.mark.parametrize("name", sorted(set(ROWS) - {"reference-1gw"}))
def test_the_layout_of_real_halls_is_marked_assumed(name: str) -> None:
    site = site_file(name)
    for template in site.lineup_templates.values():
        assert template.provenance.status is Status.ASSUMPTION
    for building in site.building_templates.values():
        assert building.provenance.status is Status.ASSUMPTION


@pytest.mark.parametrize("name", sorted(LIVE_METER_MW))
def test_what_is_live_today_is_served_and_not_offered(name: str) -> None:
    """A building of 2026 is someone's, and service and generation of 2027-Q1 are what Epoch dates before 2026-11-21."""
    site = site_file(name)
    start = quarter_index("2027-Q1")
    steps = graphs(name).power.nodes["service"]["capacity_steps"]
    served_w = max((watts for quarter, watts in steps if quarter_index(quarter) <= start), default=0)
    # Grid and gas are entered in whole MW, rounded down.
    assert 0 <= LIVE_METER_MW[name] * 1_000_000 - served_w < 1_000_000
    buildings = [data for _, data in graphs(name).containment.nodes(data=True) if data["kind"] == "building"]
    assert len(buildings) == len(site.buildings)
    for building in buildings:
        assert building["available"] == (quarter_index(building["in_service"]) > start)


@pytest.mark.parametrize("name", sorted(set(LIVE_METER_MW) - {"abilene-expansion", "hyperion"}))
def test_live_buildings_load_the_site(name: str) -> None:
    taken = [row for row in rows(name) if not row["available"]]
    if name == "new-carlisle":
        # Trainium racks are no system of the catalogue: 18 buildings of four feeders with 17 MW each.
        feeders = [data for _, data in graphs(name).power.nodes(data=True) if data["kind"] == "feeder"]
        assert sum(data["house_load_w"] == 17_000_000 for data in feeders) == 18 * 4
    else:
        assert taken
        assert sum(int(str(row["occupied_racks"])) for row in taken) > 2_000


def test_fairwater_rows_have_one_feed_and_may_drop_on_anything_upstream() -> None:
    for name in ("fairwater-wisconsin", "fairwater-atlanta"):
        assert {row["n_feeds"] for row in rows(name)} == {1}
        power = graphs(name).power
        kinds = {str(data["kind"]) for _, data in power.nodes(data=True)}
        assert "ups" not in kinds
        upstream = kinds - {"service", "row", "mechanical", "support", "switchboard"}
        assert {str(kind) for row in rows(name) for kind in row["may_drop_on"]} == upstream  # type: ignore[attr-defined]


DESIGN_DAY_GAS_MW = {
    # Sets that are not in reserve, times rating and 0.7 % less for each K above 15 degC.
    "abilene": 9 * 34.5 * (1 - 0.007 * (42.6 - 15)),
    "colossus-2": 53 * 8.38 * (1 - 0.007 * (40.8 - 15)),
}


@pytest.mark.parametrize("name", sorted(set(ROWS) - {"reference-1gw"}))
def test_gas_on_the_site_is_part_of_the_published_power_and_loses_output_on_the_design_day(name: str) -> None:
    service = graphs(name).power.nodes["service"]
    firm_w = max((watts for _, watts in service["generation_steps"]), default=0)
    assert float(firm_w) == pytest.approx(DESIGN_DAY_GAS_MW.get(name, 0) * 1e6, abs=100)
    assert all(one.provenance.status is Status.ASSUMPTION for one in site_file(name).generation)


def test_hyperion_is_curtailable_until_its_gas_units_run() -> None:
    service = graphs("hyperion").power.nodes["service"]
    assert [int(watts) for _, watts in service["capacity_steps"]] == [2_262_000_000]
    assert service["firm_steps"][0] == ("2028-Q1", 754_000_000)
    assert service["non_firm_steps"][-1] == ("2029-Q3", 0)
    # 0.25 % of the year, rounded to hours.
    assert service["curtailed_hours"] == round(0.0025 * 8760)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_limit_on_swings_stands_where_a_battery_answers_it(name: str) -> None:
    """No utility's limit was found; one is asked where a battery is known, and elsewhere the reason stands."""
    site = site_file(name)
    assert (site.service.swing.rule == "limit") == bool(site.batteries)
    assert site.service.swing.provenance.status is Status.ASSUMPTION
    assert {path for path in ROWS if site_file(path).batteries} == {"colossus-2", "hyperion", "reference-1gw"}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_no_board_or_unit_takes_more_than_the_spares(name: str) -> None:
    """Units that hang on one board each leave enough when it is lost, and so do leaves; no bank is without a spare."""
    site = site_file(name)
    for template in site.lineup_templates.values():
        members = {
            group.name: group.count
            for building in site.building_templates.values()
            for group in (*site.power, *building.power)
        }
        air, liquid = template.air, template.liquid
        banks = [(air.handlers, air.unit_feeds, air.powered_by)]
        banks += [] if liquid is None else [(liquid.cdus, liquid.unit_feeds, liquid.powered_by)]
        for bank, feeds, board in banks:
            assert bank.spares >= (1 if feeds == "all" else -(-bank.count // members[board]))
        fabric = template.fabric
        on_one = members[fabric.support_powered_by] if fabric.support_feeds == "matched" else 0
        assert on_one in {0, fabric.planes}
        assert fabric.planes - 1 >= fabric.planes_needed
    for building in site.building_templates.values():
        for plant in building.plants:
            assert plant.unit_feeds == "all"
            assert all(bank.spares >= 1 for bank in (plant.coolers, plant.chillers) if bank is not None)


def test_fairwater_atlanta_has_two_storeys() -> None:
    halls = {row["hall_id"]: row["storey"] for row in rows("fairwater-atlanta")}
    assert {str(hall).rsplit("/", 1)[-1]: storey for hall, storey in halls.items()} == {"h1": 0, "h2": 1}


def test_new_carlisle_has_no_liquid_anywhere() -> None:
    assert {row["liquid_supply_degc"] for row in rows("new-carlisle")} == {None}
    with pytest.raises(InfeasibleError, match="588 rows: the row has no liquid loop") as refused:
        lower(load_world("new-carlisle"))
    assert "588 rows: the row has no liquid loop, and the rack gives 97% of its heat to liquid" in str(refused.value)


@pytest.mark.parametrize("name", ["abilene", "colossus-2"])
def test_a_site_that_others_fill_offers_nothing_and_says_whose_it_is(name: str) -> None:
    with pytest.raises(InfeasibleError, match=f"{ROWS[name]} rows: the row is occupied by"):
        lower(load_world(name))


def test_the_reference_is_what_its_title_says() -> None:
    site = site_file("reference-1gw")
    template = site.lineup_templates["standard"]
    assert site.service.steps[-1].capacity == 1_000_000_000
    assert (template.rows.count, template.rows.positions) == (6, 12)
    power = graphs("reference-1gw").power
    ups = [data for _, data in power.nodes(data=True) if data["kind"] == "ups"]
    assert len(ups) == 400
    # 2.8 MW at the racks: the plate less the busway's 0.75 %.
    assert {data["rating_w"] for data in ups} == {2_821_000}
    assert 2_821_000 * 10_000 == 2_800_000 * 10_075
    standard = [data for node, data in power.nodes(data=True) if data["kind"] == "busway" and "/h1/" in node]
    assert {data["rating_w"] for data in standard} == {1_400_000}
    feeds = sorted(graphs("reference-1gw").power.in_degree(row) for row in power if power.nodes[row]["kind"] == "row")
    assert feeds == [2] * 600


def test_the_deal_is_up_to_one_gigawatt_at_the_meter_with_thirty_billion_committed() -> None:
    portfolio = load_model(library.FOLDER / "portfolios" / "claude-on-azure-1gw.yaml", PortfolioFile)
    ours = [entry.site for entry in portfolio.sites]
    assert ours == ["fairwater-wisconsin", "fairwater-atlanta", "abilene-expansion"]
    assert all(entry.buildings for entry in portfolio.sites)
    assert all(entry.provenance.status is Status.ASSUMPTION for entry in portfolio.sites)
    assert portfolio.envelope.basis == "meter"
    assert [step.capacity for step in portfolio.envelope.steps] == [1_000_000_000]
    assert portfolio.contract is not None
    assert portfolio.contract.amount == 30_000_000_000
    capital = [portfolio.money.rack_budget, *(one.rack_budget for one in portfolio.tranches)]
    assert capital == [16_000_000_000, 5_000_000_000, 5_000_000_000, 5_000_000_000]
    assert not any(one.cash for one in portfolio.tranches)
    assert (portfolio.start, portfolio.periods) == ("2027-Q1", 16)
    assert {name.split("/")[0] for name in portfolio.configurations} == {each.system for each in portfolio.supply}


@pytest.mark.parametrize("path", [*SITES, *PORTFOLIOS], ids=lambda path: path.stem)
def test_files_stay_readable(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 700
    assert max(map(len, lines)) <= 130


def test_the_library_page_names_every_site_and_its_licence() -> None:
    page = (PROJECT / "docs" / "library.md").read_text(encoding="utf-8")
    for name in LIVE_METER_MW:
        assert f"`{name}`" in page
    assert "Epoch AI, Frontier Data Centers, CC BY 4.0" in page

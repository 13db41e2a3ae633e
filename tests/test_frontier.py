"""The portfolios of real campuses: written again from the tables they are byte for byte what is committed."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import yaml

from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.verify import verify
from sites import library
from sites.calendar import quarter_index
from sites.catalog.loader import load_catalog
from sites.checks import check
from sites.expansion import expand
from sites.faults import InputError
from sites.frontier.cooling import kind_of, noted_cooling
from sites.frontier.edition import FACTS, Campus, Row, read_edition, write_facts
from sites.frontier.phases import first_full_quarter, phases, service_steps, taken_mw
from sites.frontier.places import place_of
from sites.frontier.plant import peak_factor
from sites.frontier.write import write_library
from sites.loading import load_model
from sites.schema.common import Status
from sites.schema.portfolio import PortfolioFile
from sites.schema.site import SiteFile
from sites.world import load_world

GENERATED = sorted((library.FOLDER / "frontier").glob("*.yaml"))
PROJECT = Path(__file__).parent.parent
IT_MW_FREE = {
    # Read off the table by hand: IT power dated after 2026-11-21, less what is dated before.
    "google-fort-wayne": 863,
    "openai-stargate-new-mexico": 1578,
    "qts-richmond-3": 96,
    "goodnight": 1006,
    "google-lincoln": 142,
    "amazon-madison-mega-site": 399,
}


@cache
def site_file(name: str) -> SiteFile:
    return load_model(library.FOLDER / "frontier" / f"{name}.yaml", SiteFile)


@cache
def campuses() -> dict[str, Campus]:
    return {place_of(one.name).site: one for one in read_edition(FACTS)}


def rows_it_w(site: SiteFile) -> float:
    """What the busways of all rows carry together."""
    rating = {one.name: one.real for one in site.equipment}
    total = 0.0
    for building in site.buildings:
        for batch in site.building_templates[building.template].lineups:
            rows = site.lineup_templates[batch.template].rows
            figure = rating[rows.busway]
            assert figure is not None
            assert figure.value is not None
            total += batch.count * rows.count * float(figure.value)
    return total


def test_written_again_both_portfolios_are_what_is_committed(tmp_path: Path) -> None:
    written = write_library(FACTS, tmp_path)
    assert {path.relative_to(tmp_path) for path in written} == {
        *(path.relative_to(library.FOLDER) for path in GENERATED),
        *(Path("portfolios") / f"{name}.yaml" for name in ("us-frontier", "world-frontier")),
    }
    for path in written:
        assert path.read_bytes() == (library.FOLDER / path.relative_to(tmp_path)).read_bytes(), path.name


def test_the_bundled_tables_are_copied_without_change_and_hold_no_prose(tmp_path: Path) -> None:
    write_facts(FACTS, tmp_path)
    for path in FACTS.glob("*.csv"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
        with path.open(encoding="utf-8", newline="") as stream:
            assert max(len(cell) for line in csv.reader(stream) for cell in line) < 130


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.stem)
def test_every_site_expands_and_its_graphs_are_sound(path: Path) -> None:
    site = site_file(path.stem)
    assert site.name == path.stem
    assert check(expand(site, load_catalog())) == []
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 700
    assert max(map(len, lines)) <= 130
    assert "CC BY 4.0" in site.service.provenance.source
    assert site.location.provenance is not None
    assert site.location.provenance.status is Status.ASSUMPTION
    assert {one.provenance.status for one in site.lineup_templates.values()} == {Status.ASSUMPTION}


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.stem)
def test_power_is_that_of_the_tables(path: Path) -> None:
    """The last step at the meter, what is taken before, and rows for the IT power that comes on after today."""
    site, campus = site_file(path.stem), campuses()[path.stem]
    assert site.service.steps[-1].capacity == campus.rows[-1].facility_mw * 1_000_000
    taken = [group for group in site.power if group.name == "taken"]
    assert sum(group.house_load for group in taken) == taken_mw(campus) * 1_000_000
    today_mw = max((row.it_mw for row in campus.rows if row.day <= date(2026, 11, 21)), default=Decimal(0))
    coming_mw = campus.rows[-1].it_mw - today_mw
    # Buildings are rounded to a tenth of a MW each, rows to whole kW upwards.
    assert rows_it_w(site) == pytest.approx(float(coming_mw) * 1e6, rel=0.004)
    assert rows_it_w(site) / 1e6 == pytest.approx(IT_MW_FREE.get(path.stem, float(coming_mw)), rel=0.004)
    assert all(quarter_index(building.dates.utility.mode) >= quarter_index("2027-Q1") for building in site.buildings)


def test_a_capacity_counts_from_the_first_quarter_that_it_holds_in_full() -> None:
    assert first_full_quarter(date(2027, 1, 1)) == "2027-Q1"
    assert first_full_quarter(date(2027, 1, 2)) == "2027-Q2"
    assert first_full_quarter(date(2026, 12, 31)) == "2027-Q1"


def toy(*rows: tuple[date, int | None, int, int]) -> Campus:
    made = tuple(
        Row(day, None if n is None else Decimal(n), Decimal(it), Decimal(facility), "") for day, n, it, facility in rows
    )
    return Campus("Toy", "", "", "United States", "", made, ())


def test_phases_are_the_steps_of_it_power_after_today() -> None:
    """2 of 5 buildings run; a third brings cooling first and its IT power with the next two."""
    campus = toy(
        (date(2026, 5, 1), 2, 100, 130),
        (date(2027, 3, 1), 3, 100, 150),
        (date(2027, 8, 1), 5, 220, 290),
    )
    assert taken_mw(campus) == 130
    assert service_steps(campus) == [("2026-Q3", Decimal(130)), ("2027-Q2", Decimal(150)), ("2027-Q4", Decimal(290))]
    (phase,) = phases(campus)
    assert (phase.quarter, phase.n_buildings, phase.building_it_mw) == ("2027-Q4", 3, Decimal(40))


def test_buildings_that_are_not_counted_are_taken_no_larger_than_350_mw() -> None:
    (phase,) = phases(toy((date(2028, 12, 31), None, 857, 1200)))
    assert (phase.n_buildings, phase.building_it_mw) == (3, Decimal("285.7"))


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        ("Building 1 has 121 air-cooled chillers.", "air-cooled chillers"),
        ("Steam out of the cooling towers", "cooling towers"),
        ("All air-cooled chillers removed, leaving only the cooling towers", ""),
        ("The dry cooling array grew", "dry coolers"),
        ("Roof complete", ""),
    ],
)
def test_a_note_names_a_kind_of_cooling_only_where_it_names_one(note: str, kind: str) -> None:
    assert noted_cooling(note) == kind


def test_most_notes_decide_and_no_note_means_unknown() -> None:
    assert kind_of(["", "air-cooled chillers", "cooling towers", "cooling towers"]) == "cooling towers"
    assert kind_of(["", ""]) == ""


def test_the_peak_factor_without_a_plant_is_losses_pumps_and_fans() -> None:
    # 1.059 to rows, 0.04 * 1.056 to gear, (0.0097 + 0.00315 + 0.005) * 1.012 to the plant, over 1.04.
    assert peak_factor(0) == pytest.approx((1.059 + 0.04224 + 0.01785 * 1.012) / 1.04, abs=1e-6)


def test_tables_that_cannot_be_read_are_refused_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_edition(tmp_path)
    write_facts(FACTS, tmp_path)
    path = tmp_path / "data_center_timelines.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("2025-10-19", "19.10.2025", 1), encoding="utf-8")
    with pytest.raises(InputError, match=r"data_center_timelines\.csv:\d+: found Data center 'Colossus 2', Date '19"):
        read_edition(tmp_path)


def test_portfolios_list_campuses_with_power_to_come_once_each() -> None:
    both = [
        load_model(library.FOLDER / "portfolios" / f"{name}.yaml", PortfolioFile)
        for name in ("us-frontier", "world-frontier")
    ]
    us, world = ([entry.site for entry in one.sites] for one in both)
    assert len(us) == len(set(us)) >= 30
    assert set(us) < set(world)
    assert {"hyperion", "fairwater-wisconsin", "prometheus", "abilene-expansion"} <= set(us)
    assert not {"abilene", "colossus-2", "new-carlisle"} & set(world)
    assert set(world) - set(us) == {"openai-stargate-uae", "start-campus-sines-data-campus"}
    assert all(library.find_site(name) is not None for name in world)


def test_the_library_page_names_every_generated_site() -> None:
    page = (PROJECT / "docs" / "library.md").read_text(encoding="utf-8")
    for path in GENERATED:
        assert f"`{path.stem}`" in page


def test_two_campuses_planned_jointly_are_the_sum_of_their_parts(tmp_path: Path) -> None:
    """Racks, watts and cash of the whole are those of its sites, and the checker accepts the run."""
    document = yaml.safe_load((library.FOLDER / "portfolios" / "us-frontier.yaml").read_text(encoding="utf-8"))
    pair = {"coreweave-chester-va", "google-red-oak"}
    document["sites"] = [entry for entry in document["sites"] if entry["site"] in pair]
    document["supply"][2]["deliveries"] = [{"quarter": "2027-Q3", "racks": 300}]
    path = tmp_path / "pair.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    options = SolveOptions(backend="numpy", work_limit=200, n_threads=1)
    run = create_run(load_world(path), RunRequest(tmp_path / "run", options), lambda _: None)
    plan = run.document
    racks: Counter[tuple[str, str]] = Counter()
    for one in plan["placements"]:
        racks[one["period"], one["configuration"]] += one["n_racks"]
    assert {one["site"] for one in plan["placements"]} == pair
    for total in plan["totals"]:
        assert {name: racks[total["period"], name] for name in total["racks"]} == total["racks"]
        meter_w = dict(total["plan_meter_w"])
        assert abs(meter_w.pop("joint") - sum(meter_w.values())) <= len(pair)
    net = [sum(column) for column in zip(*(line["cents"] for line in plan["cash"]["lines"]), strict=True)]
    assert net == list(plan["cash"]["net_cents"])
    assert verify(tmp_path / "run").ok

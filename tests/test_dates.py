"""The four dates and the ledger of idle weeks, against dates and deliveries of toys read by hand."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from run_cases import lowered_of, make_run, solution_of, world_of

from planner.report.dates import dates_view
from planner.run.dates import PARTIES, Tranche, ledger, waits
from planner.run.evaluate import evaluate
from planner.run.ready import lineups_ready
from planner.run.tables import DATE_COLUMNS
from sites.calendar import quarter_index, quarter_name
from sites.expansion import expand

if TYPE_CHECKING:
    from pathlib import Path

    from planner.run.dates import DatesLedger

RACK_W = 132_000


def ledger_of(name: str) -> DatesLedger:
    lowered = lowered_of(name)
    return evaluate(world_of(name), lowered, lowered.graphs, solution_of(name).plan.n_racks).dates


def lines_of(found: DatesLedger) -> dict[tuple[str, str], tuple[int, int]]:
    return {(line.ready, line.waits_for): (line.watt_weeks, line.position_weeks) for line in found.ledger}


def test_racks_wait_for_the_facility() -> None:
    """Two lineups of five racks, all delivered in 2027-Q1, open in Q3 and Q4; power is a quarter early."""
    found = ledger_of("toy-dates")
    first, second = found.tranches
    assert (first.stands, first.facility, first.power, first.binds) == ("2027-Q3", "2027-Q3", "2027-Q2", "facility")
    assert (first.idle_racks_weeks, first.idle_facility_weeks, first.idle_power_weeks) == (26, 0, 13)
    assert (second.idle_racks_weeks, second.idle_power_weeks) == (39, 13)
    weeks = lines_of(found)
    assert weeks["racks", "facility"] == (5 * RACK_W * (26 + 39), 5 * (26 + 39))
    assert weeks["power", "facility"] == (5 * RACK_W * 26, 5 * 26)
    assert not any(waited_for == "plan" for _, waited_for in weeks)


def test_the_last_element_on_the_way_to_the_service_is_named() -> None:
    [tranche] = ledger_of("toy-row-waits-for-all-feeds").tranches
    assert (tranche.power, tranche.power_part, tranche.binds) == ("2027-Q2", "main-2", "power")
    assert tranche.idle_racks_weeks == tranche.idle_facility_weeks == 13


def test_one_feed_is_enough_where_the_class_says_so() -> None:
    [tranche] = ledger_of("toy-single-feed").tranches
    assert tranche.stands == "2027-Q1"
    assert quarter_index(tranche.power) <= quarter_index("2027-Q1")


def test_the_network_is_waited_for() -> None:
    [tranche] = ledger_of("toy-network-date").tranches
    assert (tranche.network, tranche.binds, tranche.idle_network_weeks) == ("2027-Q2", "network", 0)
    assert lines_of(ledger_of("toy-network-date"))["racks", "network"] == (5 * RACK_W * 13, 5 * 13)


def test_a_row_waits_for_the_racks_of_the_next_system() -> None:
    [tranche] = ledger_of("toy-wait-for-next").tranches
    assert (tranche.system, tranche.racks, tranche.binds) == ("vr-nvl72", "2027-Q2", "racks")
    assert lines_of(ledger_of("toy-wait-for-next"))["facility", "racks"][1] == 8 * 13


def test_what_is_delivered_first_is_started_first() -> None:
    """Three racks come in Q1 and two in Q2; five are placed as they come."""
    first, second = ledger_of("toy-supply").tranches
    assert [(one.n_racks, one.racks, one.stands) for one in (first, second)] == [
        (3, "2027-Q1", "2027-Q1"),
        (2, "2027-Q2", "2027-Q2"),
    ]


def test_landing_crews_hold_racks_that_are_there() -> None:
    """Two racks a quarter: the second pair waits 13 weeks, the third 26, with everything ready."""
    first, second, third = ledger_of("toy-landing").tranches
    assert first.held_by == ()
    assert second.held_by == third.held_by == ("landing",)
    assert lines_of(ledger_of("toy-landing"))["racks", "plan"] == (2 * RACK_W * (13 + 26), 2 * (13 + 26))


def test_weeks_before_the_plan_do_not_count() -> None:
    world = world_of("toy-supply")
    [ready] = lineups_ready(expand(world.sites[0].site, world.catalog)).values()
    assert ready.facility.quarter < quarter_index(world.portfolio.start)
    first, _ = ledger_of("toy-supply").tranches
    assert first.idle_facility_weeks == 0


def tranche(**changes: Any) -> Tranche:
    fields = {
        "site": "s", "building": "b1", "lineup": "b1/h1/l01", "system": "gb200-nvl72", "stands": "2028-Q3",
        "n_racks": 4, "positions": 8, "it_w": 1_000_000, "racks": "2028-Q1", "network": "2027-Q3",
        "facility": "2027-Q4", "facility_part": "permit", "power": "2027-Q1", "power_part": "utility", "binds": "racks",
        "held_by": ("meter",),
        "idle_racks_weeks": 26, "idle_network_weeks": 52, "idle_facility_weeks": 39, "idle_power_weeks": 78,
    }  # fmt: skip
    return Tranche(**(fields | changes))


def test_idle_weeks_are_split_into_those_for_the_last_and_those_for_the_plan() -> None:
    one = tranche()
    assert [waits(one, party) for party in PARTIES] == [(0, 26), (26, 26), (13, 26), (52, 26)]
    lines = {(line.ready, line.waits_for): line for line in ledger([one, one])}
    assert len(lines) == 7
    assert lines["power", "racks"].watt_weeks == 2 * 52 * 1_000_000
    assert lines["power", "racks"].position_weeks == 2 * 52 * 8
    assert lines["racks", "plan"].position_weeks == 2 * 26 * 8


def view_of(tranches: list[Tranche]) -> Any:
    from dataclasses import asdict

    document = {
        "periods": [quarter_name(quarter_index("2027-Q1") + t) for t in range(8)],
        "dates": {"tranches": [asdict(one) for one in tranches], "ledger": [asdict(one) for one in ledger(tranches)]},
    }
    return dates_view(document, world_of("toy-supply").catalog)


def test_waits_are_told_in_words_costliest_first() -> None:
    late = tranche(held_by=(), stands="2028-Q1", idle_racks_weeks=0, idle_network_weeks=26, idle_facility_weeks=13,
                   idle_power_weeks=52)  # fmt: skip
    other = tranche(lineup="b1/h1/l02", held_by=())
    view = view_of([late, other, tranche(lineup="b1/h1/l03", stands=None, system=None, n_racks=0, racks=None,
                                         binds="facility", idle_racks_weeks=0)])  # fmt: skip
    assert view.sentences[0].startswith("s:b1: 2 lineups stand 52 weeks ready for racks: NVIDIA GB200 NVL72")
    assert view.sentences[0].endswith("arrives 2028-Q1.")
    assert "4 NVIDIA GB200 NVL72 could stand 26 weeks before 2028-Q3: they are worth more later" in view.sentences[1]
    assert "1 lineup with 8 places stay empty 39 weeks: held by meter." in view.sentences[2]


def test_racks_that_wait_name_the_part_that_is_late() -> None:
    one = tranche(binds="facility", held_by=(), stands="2028-Q4", facility="2028-Q4", idle_racks_weeks=39,
                  idle_facility_weeks=0, idle_network_weeks=65, idle_power_weeks=91)  # fmt: skip
    [sentence] = view_of([one]).sentences
    assert sentence == ("s:b1: 4 NVIDIA GB200 NVL72 wait 39 weeks for the building: its permit is ready last, 2028-Q4.")


def test_strips_end_where_racks_start() -> None:
    [group] = view_of([tranche(), tranche(lineup="b1/h1/l02", stands="2028-Q4", idle_racks_weeks=39)]).groups
    for bar, stands in zip(group.bars, (75.0, 87.5), strict=True):
        assert bar.stands == stands
        assert [lane.party for lane in bar.lanes] == list(PARTIES)
        assert all(lane.start + lane.width == pytest.approx(stands) for lane in bar.lanes)
    assert group.bars[0].lanes[0].start == 50.0


@pytest.mark.parametrize("name", ["toy-dates", "toy-landing", "toy-profiles"])
def test_every_rack_has_its_dates_in_the_folder(name: str, tmp_path: Path) -> None:
    document = make_run(name, tmp_path / "run").document
    tranches = document["dates"]["tranches"]
    assert sum(one["n_racks"] for one in tranches) == sum(document["totals"][-1]["racks"].values())
    with (tmp_path / "run" / "dates.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == DATE_COLUMNS
    assert [line["lineup"] for line in lines] == [one["lineup"] for one in tranches]
    for one in tranches:
        latest = max(quarter_index(one[party]) for party in PARTIES)
        assert quarter_index(one["stands"]) >= latest == quarter_index(one[one["binds"]])

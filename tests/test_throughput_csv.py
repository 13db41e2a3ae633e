"""A pilot's CSV: it overrides its basis and system, stays among a run's inputs, and every fault has its line."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from sites.catalog.loader import load_catalog
from sites.faults import InputError
from sites.schema.common import Status
from sites.throughput import ThroughputError, serving_rate
from sites.throughput_csv import read_pilot_files, with_pilots
from sites.world import input_hash, load_world, load_world_from_inputs, save_inputs

CATALOG = load_catalog()
BASIS = "deepseek-v4-pro-agentx"
HEADING = "basis,system,profile,speed [tokens/s/user],ttft [ms],rate [1/s],quarter,source"
LINES = [
    f"{BASIS},vr-nvl72,max-q,,,15e6,2027-Q1,Pilot",
    f'{BASIS},vr-nvl72,max-q,75,420,13e6,2027-Q1,"Pilot, 8 racks"',
    f"{BASIS},vr-nvl72,max-q,100,380,12e6,2027-Q1,Pilot",
]


def text(*lines: str, heading: str = HEADING) -> str:
    return "\n".join([heading, *(lines or LINES), ""])


def faults_of(content: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_pilot_files([("pilot.csv", content.encode())], CATALOG)
    return [str(fault) for fault in caught.value.faults]


def test_a_pilot_is_read_exactly() -> None:
    [pilot] = read_pilot_files([("pilot.csv", text().encode("utf-8-sig"))], CATALOG)
    assert (pilot.basis, pilot.curve.system, pilot.curve.profile) == (BASIS, "vr-nvl72", "max-q")
    assert (pilot.curve.per, pilot.curve.measured) == ("rack", "2027-Q1")
    offline, first, second = pilot.curve.points
    assert offline.speed is None
    assert (offline.rate.value, offline.ttft.value) == (15_000_000, None)
    assert offline.ttft.reason == "The file does not give it"
    assert first.speed_tokens_per_s_user == 75
    assert first.ttft.value == Fraction(42, 100)
    assert (first.rate.source, first.rate.status) == ("Pilot, 8 racks", Status.MEASURED)
    assert second.rate.note == "Pilot file 1, line 4"


def test_units_of_the_heading_count() -> None:
    heading = HEADING.replace("[1/s]", "[1/min]").replace("[ms]", "[s]").replace("[tokens/s/user]", "[token/min/user]")
    [pilot] = read_pilot_files(
        [("p", text(f"{BASIS},vr-nvl72,max-p,6000,2,60e6,2027-Q1,x", heading=heading).encode())], CATALOG
    )
    [point] = pilot.curve.points
    assert (point.speed_tokens_per_s_user, point.ttft.value, point.rate.value) == (100, 2, 10**6)


def test_columns_in_any_order_and_blank_lines() -> None:
    heading = "source,quarter,rate [1/s],ttft [s],speed [tokens/s/user],profile,system,basis"
    [pilot] = read_pilot_files(
        [("p", f"{heading}\r\n\r\nx,2027-Q1,5,,,,vr-nvl72,{BASIS}\r\n,,,,,,,\r\n".encode())], CATALOG
    )
    assert pilot.curve.points[0].rate.value == 5
    assert (pilot.curve.profile, pilot.curve.profile_reason) == (None, "The file does not name the profile")


def test_pilots_replace_their_system_and_no_other() -> None:
    pilots = read_pilot_files([("pilot.csv", text().encode())], CATALOG)
    changed = with_pilots(CATALOG, pilots)
    before, after = CATALOG.throughput[BASIS], changed.throughput[BASIS]
    assert [one for one in after.curves if one.system == "vr-nvl72"] == [pilots[0].curve]
    assert [one for one in after.curves if one.system != "vr-nvl72"] == [
        one for one in before.curves if one.system != "vr-nvl72"
    ]
    others = changed.throughput.keys() - {BASIS}
    assert all(changed.throughput[name] is CATALOG.throughput[name] for name in others)
    assert changed.rack_systems is CATALOG.rack_systems


def test_rates_come_from_the_pilot() -> None:
    changed = with_pilots(CATALOG, read_pilot_files([("pilot.csv", text().encode())], CATALOG))
    basis, max_q = changed.throughput[BASIS], changed.configuration("vr-nvl72/max-q")
    served = serving_rate(basis, max_q, Fraction(100))
    assert (served.rate_per_s, served.status, served.profile_factor) == (12_000_000, Status.MEASURED, 1)
    with pytest.raises(ThroughputError, match="as measured in pilot file 1: found a speed of 150"):
        serving_rate(basis, max_q, Fraction(150))
    scaled = serving_rate(basis, changed.configuration("vr-nvl72/max-p"), Fraction(100))
    assert (scaled.rate_per_s, scaled.status) == (12_000_000 / Fraction(9, 10), Status.ASSUMPTION)


def test_the_same_basis_of_two_files_is_put_together() -> None:
    files = [("a.csv", text(*LINES[:2]).encode()), ("b.csv", text(LINES[2]).encode())]
    [pilot] = read_pilot_files(files, CATALOG)
    assert [point.rate.note for point in pilot.curve.points] == [
        "Pilot file 1, line 2", "Pilot file 1, line 3", "Pilot file 2, line 2"
    ]  # fmt: skip
    with pytest.raises(
        InputError, match=r"b\.csv:3: speed: 75 tokens/s/user of .* stands in line 3 of 'a\.csv' already"
    ):
        read_pilot_files([files[0], ("b.csv", text(LINES[2], LINES[1]).encode())], CATALOG)


HEADINGS = [
    (HEADING.replace("rate", "rat"), "pilot.csv:1: rat: unknown column; did you mean 'rate [1/s]'?"),
    (
        HEADING + ",colour",
        "pilot.csv:1: colour: unknown column; the columns are 'basis', 'system', 'profile', 'speed [",
    ),
    (HEADING.replace(",quarter", ""), "pilot.csv:1: quarter: the column 'quarter' is missing; the columns are 'basis'"),
    (HEADING + ",source", "pilot.csv:1: source: this column stands here a second time; remove one"),
    (
        HEADING.replace("rate [1/s]", "rate"),
        "pilot.csv:1: rate: found no unit; write it in the heading, for example 'rat",
    ),
    (HEADING.replace("[1/s]", "[kg]"), "pilot.csv:1: rate: unit 'kg' is not a unit of the kind of '1/s'"),
    (HEADING.replace("[ms]", "[mz]"), "pilot.csv:1: ttft: unit 'mz' is not known; write for example '1 s'"),
    (
        HEADING.replace("[tokens/s/user]", "[1/s]"),
        "pilot.csv:1: speed: unit '1/s' is not a unit of the kind of 'tokens",
    ),
    (HEADING.replace("quarter", "quarter [s]"), "pilot.csv:1: quarter: found the unit 's', but this column holds text"),
]


@pytest.mark.parametrize(("heading", "message"), HEADINGS, ids=[message for _, message in HEADINGS])
def test_faults_of_the_heading(heading: str, message: str) -> None:
    assert any(fault.startswith(message) for fault in faults_of(text(heading=heading)))


ROWS = [
    (
        f"{BASIS}y,vr-nvl72,,75,,1,2027-Q1,x",
        "basis: unknown throughput basis 'deepseek-v4-pro-agentxy'; did you mean '",
    ),
    (f"{BASIS},vr-nvl7,,75,,1,2027-Q1,x", "system: unknown rack system 'vr-nvl7'; did you mean 'vr-nvl72'?"),
    (f"{BASIS},vr-nvl72,maxq,75,,1,2027-Q1,x", "profile: unknown profile of 'vr-nvl72' 'maxq'; did you mean 'max-q'?"),
    (f"{BASIS},vr-nvl72,,fast,,1,2027-Q1,x", "speed: found 'fast'; a number above 0 is due, its unit in the heading"),
    (f"{BASIS},vr-nvl72,,0,,1,2027-Q1,x", "speed: found 0; a number above 0 is due, or nothing where none is known"),
    (f"{BASIS},vr-nvl72,,75,-2,1,2027-Q1,x", "ttft: found -2; a number above 0 is due, or nothing where none is known"),
    (
        f"{BASIS},vr-nvl72,,75,,13e6 1/s,2027-Q1,x",
        "rate: found '13e6 1/s'; a number above 0 is due, its unit in the head",
    ),
    (f"{BASIS},vr-nvl72,,75,,,2027-Q1,x", "rate: found nothing; fill this field in"),
    (f"{BASIS},vr-nvl72,,75,,1,2027-Q1,", "source: found nothing; fill this field in"),
    (f"{BASIS},vr-nvl72,,75,,1,2027-Q7,x", "quarter: '2027-Q7' is not a quarter; write for example 2027-Q1"),
    (
        "training-against-gb300,vr-nvl72,,75,,1,2027-Q1,x",
        "speed: this basis measures training, where no user waits; leave",
    ),
]


@pytest.mark.parametrize(("line", "message"), ROWS, ids=[message for _, message in ROWS])
def test_faults_of_a_line(line: str, message: str) -> None:
    [fault] = faults_of(text(line))
    assert fault.startswith(f"pilot.csv:2: {message}")


def test_a_line_with_a_field_too_few() -> None:
    assert faults_of(text("a,b")) == ["pilot.csv:2: found 2 fields; the heading has 8, separated by commas"]


ORDERS = [
    ([LINES[2], LINES[1]], "pilot.csv:3: speed: found 75 tokens/s/user after 100; sort by speed, a point without"),
    ([LINES[1], LINES[0]], "pilot.csv:3: speed: found an offline point after 75; sort by speed, a point without"),
    (
        [LINES[1], LINES[1]],
        "pilot.csv:3: speed: 75 tokens/s/user of this basis, system and profile stands in line 2 al",
    ),
    (
        [LINES[0], LINES[0]],
        "pilot.csv:3: speed: an offline point of this basis, system and profile stands in line 2 al",
    ),
    (
        [LINES[1], LINES[2].replace("2027-Q1", "2027-Q2")],
        "pilot.csv:3: quarter: found 2027-Q2 in a curve of 2027-Q1; the points of a curve are of one quarter",
    ),
]


@pytest.mark.parametrize(("lines", "message"), ORDERS, ids=[message for _, message in ORDERS])
def test_faults_of_the_order(lines: list[str], message: str) -> None:
    [fault] = faults_of(text(*lines))
    assert fault.startswith(message)


def test_two_profiles_are_two_curves() -> None:
    other = [line.replace("max-q", "max-p") for line in LINES]
    pilots = read_pilot_files([("p", text(*LINES, *other).encode())], CATALOG)
    assert [pilot.curve.profile for pilot in pilots] == ["max-q", "max-p"]


def test_files_that_hold_nothing_readable() -> None:
    nothing = "pilot.csv: there is no point in this file; add a line for each, or take the file off the list"
    assert faults_of(HEADING) == faults_of("") == faults_of(" \n") == [nothing]
    with pytest.raises(InputError, match=r"pilot\.csv: this is not UTF-8 text; save the file again as text"):
        read_pilot_files([("pilot.csv", b"\xff\xfe\x00")], CATALOG)
    [fault] = faults_of(text(f'{BASIS},vr-nvl72,,75,,1,2027-Q1,"open'))
    assert re.match(r"pilot\.csv:\d+: this line cannot be read: .*; quote text that holds commas or quotes", fault)


def test_many_faults_are_counted() -> None:
    faults = faults_of(text(*["a,b"] * 30))
    assert len(faults) == 21
    assert "pilot.csv: 10 more faults are not listed" in faults


def named(folder: Path, *references: str) -> Path:
    """The tiny portfolio with these throughput files."""
    path = folder / "portfolio.yaml"
    path.write_text(path.read_text() + f"throughput_files: [{', '.join(references)}]\n")
    return path


def test_a_portfolio_names_pilots_and_a_run_keeps_them(tiny: Path, tmp_path: Path) -> None:
    plain = load_world(tiny)
    (tiny / "pilots").mkdir()
    (tiny / "pilots" / "spring.csv").write_text(text())
    world = load_world(named(tiny, "pilots/spring.csv"))
    assert [file.name for file in world.files if file.role == "throughput"] == ["throughput/1.csv"]
    assert {one.software for one in world.catalog.throughput[BASIS].curves if one.system == "vr-nvl72"} == {
        "as measured in pilot file 1"
    }
    assert plain.catalog == CATALOG
    save_inputs(world, tmp_path / "inputs")
    again = load_world_from_inputs(tmp_path / "inputs")
    assert again == world
    assert input_hash(again) == input_hash(world)
    (tiny / "pilots" / "spring.csv").write_text(text().replace("13e6", "14e6"))
    assert input_hash(load_world(tiny)) != input_hash(world)


def test_a_run_with_a_pilot_too_few_is_refused(tiny: Path, tmp_path: Path) -> None:
    (tiny / "pilot.csv").write_text(text())
    run = tmp_path / "inputs"
    save_inputs(load_world(named(tiny, "pilot.csv")), run)
    resolved = (run / "resolved.json").read_text()
    listed = re.sub(r'\s*\{\s*"name": "throughput/1.csv",\s*"role": "throughput"\s*\},', "", resolved)
    assert listed != resolved
    (run / "resolved.json").write_text(listed)
    with pytest.raises(InputError, match="found 0 throughput files; the portfolio names 1"):
        load_world_from_inputs(run)


def test_faults_of_named_files_come_with_all_others(tiny: Path) -> None:
    (tiny / "pilot.csv").write_text(text("a,b"))
    path = named(tiny, "pilot.csv", "pilo.csv")
    path.write_text(path.read_text().replace("vr-nvl72/max-q]", "vr-nvl72/maxq]"))
    with pytest.raises(InputError) as caught:
        load_world(path)
    told = str(caught.value)
    assert f"{tiny}/pilot.csv:2: found 2 fields; the heading has 8" in told
    assert re.search(r"portfolio\.yaml:\d+: throughput_files\[1\]: 'pilo\.csv': no such file; did you mean", told)
    assert "a path is relative to the folder of the portfolio" in told
    assert "unknown configuration 'vr-nvl72/maxq'" in told


def test_the_file_of_the_document_is_read() -> None:
    document = (Path(__file__).parents[1] / "docs" / "input.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"^```csv\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    [pilot] = read_pilot_files([("pilot.csv", shown.encode())], CATALOG)
    assert len(pilot.curve.points) == 3

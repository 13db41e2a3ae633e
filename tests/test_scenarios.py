"""Scenario files: paths, changes, inheritance, what is refused, and the library's futures on every portfolio."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.cli.main import main
from sites import library
from sites.calendar import quarter_index
from sites.faults import InputError
from sites.scenarios.apply import MISSING, Documents
from sites.scenarios.counts import is_count
from sites.scenarios.edits import as_yaml
from sites.scenarios.futures import load_futures
from sites.scenarios.paths import PathError, find_places, parse_path, place_text
from sites.schema.catalog import CatalogFile
from sites.schema.portfolio import PortfolioFile
from sites.schema.site import SiteFile
from sites.world import load_world, world_of_files
from sites.yaml_nodes import WrittenFloat, plain_value, read_nodes

if TYPE_CHECKING:
    from pathlib import Path

    from sites.schema.common import Model

HEAD = "format: gigaplan-scenarios/1\ntitle: Test\n"
SOURCE = "provenance: {status: assumption, source: A test}"


def scenario_file(folder: Path, *scenarios: str, name: str = "scenarios.yaml", head: str = "") -> Path:
    """A scenario file; each scenario is the rest of a flow mapping."""
    lines = [f"  - {{{one}, title: T, {SOURCE}}}\n" for one in scenarios]
    file = folder / name
    file.write_text(HEAD + head + "scenarios:\n" + "".join(lines), encoding="utf-8")
    return file


def under(folder: Path, portfolio: str, *overrides: str) -> dict[str, list[tuple[object, object]]]:
    """Before and after of what one scenario changes, by place; its files must load."""
    file = scenario_file(folder, f"name: one, overrides: [{', '.join(overrides)}]")
    documents = Documents(load_world(portfolio).files)
    resolved = documents.under(load_futures([str(file)])["one"])
    world_of_files(resolved.files)
    found: dict[str, list[tuple[object, object]]] = {}
    for applied in resolved.applied:
        for change in applied.changes:
            found.setdefault(change.place, []).append((change.before, change.after))
    return found


def test_a_path_leads_to_every_place_that_it_means() -> None:
    document = {"supply": [{"system": "a", "d": [1, 2]}, {"system": "b", "d": [3]}], "t": {"x": {"k": 1}, "y": {}}}
    leads = {
        "supply[*].d[0]": ["supply[0].d[0]", "supply[1].d[0]"],
        "supply[b].d[*]": ["supply[1].d[0]"],
        "supply[system=a].d": ["supply[0].d"],
        "t.*.k": ["t.x.k"],
    }
    for path, places in leads.items():
        found = find_places(document, parse_path(path))
        assert [place_text(place) for place in found.places] == places
    assert find_places(document, parse_path("supply[c].d")).reasons == ["supply: unknown item 'c'; known are 'a', 'b'"]


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a[]", "a b.c", ".a"])
def test_a_path_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(PathError):
        parse_path(text)


def test_factors_are_exact_and_keep_the_unit(tmp_path: Path) -> None:
    found = under(
        tmp_path, "claude-on-azure-1gw",
        "{path: portfolio.money.rack_budget, factor: 0.7}",
        "{path: portfolio.money.discount_rate_per_year, factor: 110 %}",
        "{path: 'portfolio.supply[gb200-nvl72].deliveries[0].racks', factor: 0.333}",
        "{path: portfolio.money.annual_pue, factor: 1.1}",
        "{path: 'catalog.rack_systems[gb200-nvl72].rental', factor: 0.6}",
    )  # fmt: skip
    assert found["money.rack_budget"] == [("16e9 USD", "11200000000 USD")]
    assert found["money.discount_rate_per_year"] == [("9 %", "9.9 %")]
    assert found["supply[0].deliveries[0].racks"] == [(200, 66)]
    assert str(found["money.annual_pue"][0][1]) == "1.265"
    [(before, after)] = found["rack_systems[0].rental"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (after["value"], after["high"]) == ("2.4 USD/gpu/h", "6.3 USD/gpu/h")
    assert after["source"] == before["source"]


def test_whole_numbers_are_rounded_down_only_where_they_count_things(tmp_path: Path) -> None:
    """The toy writes its utilisation, a share, as `1`; racks of a delivery are counted."""
    found = under(
        tmp_path, "toy-supply",
        "{path: portfolio.money.utilisation, factor: 0.9}",
        "{path: 'portfolio.supply[*].deliveries[*].racks', factor: 0.9}",
        "{path: portfolio.money.economic_life_quarters, factor: 1.9}",
    )  # fmt: skip
    assert str(found["money.utilisation"][0][1]) == "0.9"
    whole = [after for place, changes in found.items() if "racks" in place for _, after in changes]
    assert whole
    assert all(type(after) is int for after in whole)
    [(before, after)] = found["money.economic_life_quarters"]
    assert isinstance(before, int)
    assert after == before * 19 // 10


@pytest.mark.parametrize(
    ("model", "place", "counts"),
    [
        (PortfolioFile, ("supply", 0, "deliveries", 0, "racks"), True),
        (PortfolioFile, ("floors", 0, "steps", 0, "minimum"), False),
        (PortfolioFile, ("money", "rack_budget"), False),
        (SiteFile, ("power", 3, "count"), True),
        (SiteFile, ("lineup_templates", "hall", "rows", "count"), True),
        (SiteFile, ("lineup_templates", "hall", "scheme", "blocks"), True),
        (CatalogFile, ("rack_systems", 0, "rental", "value"), False),
    ],
)
def test_the_schema_says_what_counts(model: type[Model], place: tuple[str | int, ...], counts: bool) -> None:
    assert is_count(model, place) is counts


def test_a_delay_moves_what_lies_after_the_first_quarter(tmp_path: Path) -> None:
    """The plan starts in 2027-Q1: what is delivered then is there, what comes later slips."""
    path = "{path: 'portfolio.supply[gb200-nvl72].deliveries[*].quarter', delay_quarters: 3}"
    assert under(tmp_path, "claude-on-azure-1gw", path) == {"supply[0].deliveries[1].quarter": [("2027-Q2", "2028-Q1")]}


def test_overrides_follow_one_another_and_values_may_be_added_or_taken_away(tmp_path: Path) -> None:
    found = under(
        tmp_path, "claude-on-azure-1gw",
        "{path: portfolio.money.rack_budget, factor: 0.5}",
        "{path: portfolio.money.rack_budget, factor: 0.5}",
        "{path: portfolio.decisions_until, value: start+13}",
        "{path: portfolio.books, value: null}",
        "{path: 'portfolio.tranches[*]', value: null}",
    )  # fmt: skip
    assert found["money.rack_budget"] == [("16e9 USD", "8000000000 USD"), ("8000000000 USD", "4000000000 USD")]
    assert found["decisions_until"] == [(MISSING, "2030-Q2")]
    assert found["books"][0][1] == MISSING
    assert [found[f"tranches[{n}]"][0][1] for n in range(3)] == [MISSING] * 3


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("{path: portfolio.money.rack_bugdet, factor: 0.5}", "did you mean 'rack_budget'"),
        ("{path: 'portfolio.supply[vr-nvl27].deliveries[*].quarter', delay_quarters: 1}", "did you mean 'vr-nvl72'"),
        ("{path: portfolio.start, value: 2027-Q1}", "nothing there changes"),
        ("{path: portfolio.title, factor: 2}", "a factor needs a number"),
        ("{path: portfolio.money.rack_budget, delay_quarters: 2}", "a delay needs a quarter"),
        ("{path: 'sites[*].climate.design_dry_bulb', factor: 1.1}", "a temperature has no multiples"),
        ("{path: 'sites[atlantis].title', value: X}", "leads nowhere"),
        ("{path: portfolio.money.rack_budget}", "found no change"),
        ("{path: portfolio.money.rack_budget, factor: 1}", "changes nothing"),
        ("{path: portfolio.money.rack_budget, factor: 2, value: 1 USD}", "found value and factor"),
        ("{path: money.rack_budget, factor: 2}", "unknown document 'money'"),
        ("{path: sites.title, value: X}", "choose sites"),
        ("{path: portfolio.money.rack_bugdet, value: 1 USD}", "unknown key"),
        ("{path: 'sites[abilene-expantion].title', value: X}", "did you mean 'abilene-expansion'"),
    ],
)
def test_what_leads_nowhere_or_does_nothing_is_refused(tmp_path: Path, override: str, told: str) -> None:
    with pytest.raises(InputError, match=told.replace("[", r"\[")):
        under(tmp_path, "claude-on-azure-1gw", override)


def test_a_part_that_may_be_absent_is_said(tmp_path: Path) -> None:
    file = scenario_file(
        tmp_path,
        "name: one, overrides: [{path: 'portfolio.tranches[*].by', delay_quarters: 1, where: present},"
        " {path: portfolio.goodput, value: {share: 0.5}, needs: 'portfolio.workloads[0]'}]",
    )
    resolved = Documents(load_world("reference-1gw").files).under(load_futures([str(file)])["one"])
    assert resolved.n_changes == 0
    told = [one.said for one in resolved.applied]
    assert told == ["there is no portfolio.tranches[*].by", "there is no portfolio.workloads[0]"]
    assert resolved.files == load_world("reference-1gw").files


def test_inheritance_is_in_order_and_each_base_comes_once(tmp_path: Path) -> None:
    factor = "overrides: [{path: portfolio.money.utilisation, factor: 0.9}]"
    scenario_file(tmp_path, f"name: root, {factor}", name="root.yaml")
    file = scenario_file(
        tmp_path,
        f"name: left, extends: [root], {factor}",
        f"name: right, extends: [base, root], {factor}",
        f"name: both, extends: [left, right], {factor}",
        head="include: [./root.yaml]\n",
    )
    futures = load_futures([str(file)])
    assert list(futures) == ["base", "root", "left", "right", "both"]
    assert [one.origin for one in futures["both"].overrides] == ["root", "left", "right", "both"]
    resolved = Documents(load_world("reference-1gw").files).under(futures["both"])
    assert world_of_files(resolved.files).portfolio.money.utilisation == Fraction(85, 100) * Fraction(9, 10) ** 4


@pytest.mark.parametrize(
    ("scenarios", "told"),
    [
        (("name: a, extends: [b]", "name: b, extends: [a]"), "in a circle: a → b → a"),
        (("name: a, extends: [exspansion]",), "unknown scenario 'exspansion'"),
        (("name: a, extends: [b]", "name: a, extends: [b]"), "stands in"),
        (("name: base, extends: [a]", "name: a, extends: [base]"), "is the input as it stands"),
        (("name: a",), "changes nothing"),
    ],
)
def test_faulty_scenario_files_are_refused(tmp_path: Path, scenarios: tuple[str, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_futures([str(scenario_file(tmp_path, *scenarios))])


@pytest.mark.parametrize("name", ["claude-on-azure-1gw", "reference-1gw", "toy-tranche-cash", "toy-supply"])
def test_the_futures_of_the_library_apply(name: str) -> None:
    documents = Documents(load_world(name).files)
    futures = load_futures(["deal"])
    assert len(futures) == 9
    for future in futures.values():
        resolved = documents.under(future)
        assert world_of_files(resolved.files).portfolio.name == name
        assert all((one.said is None) == bool(one.changes) for one in resolved.applied)
        assert all(one.provenance.status == "assumption" for one in future.overrides)


@pytest.mark.parametrize("n_quarters", [1, 2, 3, 4])
def test_vera_rubin_slips_by_so_many_quarters_and_nothing_else_does(n_quarters: int) -> None:
    world = load_world("claude-on-azure-1gw")
    resolved = Documents(world.files).under(load_futures(["deal"])[f"vera-rubin-plus-{n_quarters}"])
    slipped = world_of_files(resolved.files)
    assert [a for a, b in zip(world.files, resolved.files, strict=True) if a != b] == [world.files[0]]
    for before, after in zip(world.portfolio.supply, slipped.portfolio.supply, strict=True):
        late = n_quarters if before.system == "vr-nvl72" else 0
        moved = [quarter_index(one.quarter) + late for one in before.deliveries]
        assert [quarter_index(one.quarter) for one in after.deliveries] == moved


SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=20)
DECIMALS = st.decimals(-1000, 1000, places=7, allow_nan=False).map(lambda one: WrittenFloat(f"{one:f}"))
VALUES = st.recursive(
    SCALARS | DECIMALS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc-_ :#", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), VALUES, min_size=1))
def test_a_changed_document_reads_back_as_it_was_meant(document: dict[str, object]) -> None:
    text = as_yaml(document)
    if not all(character.isprintable() or character == "\n" for character in text):
        return  # what YAML does not take is no text of a file
    back = plain_value(read_nodes(text.encode("utf-8"), "x")[0])
    assert back == document
    assert as_yaml(back) == text


def test_the_command_lists_and_resolves(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["scenarios", "deal", "claude-on-azure-1gw", "--name", "vera-rubin-plus-2", "--json"])
    assert ended.value.code == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["n_changes"] == 10
    assert found["overrides"][0]["changes"][0] == {
        "file": "portfolio.yaml", "place": "supply[2].deliveries[0].quarter", "before": "2027-Q3", "after": "2028-Q1",
    }  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main(["scenarios", "deal", "--name", "expantion"])
    assert ended.value.code == 2
    assert "did you mean 'expansion'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["scenarios"])
    assert ended.value.code == 0
    assert "transformers-plus-3" in capsys.readouterr().out


def test_the_library_names_its_scenario_files() -> None:
    assert library.scenario_names() == ("deal",)

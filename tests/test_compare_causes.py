"""Two runs by cause: every split of their difference in money adds up to the cent, against a toy worked out by hand."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from toy_cases import TOYS

from planner.cli.main import main
from planner.compare.causes import SPLITS
from planner.compare.runs import compare_runs, table_lines
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

Document = dict[str, Any]


def run_of(toy: str, folder: Path, changes: dict[str, str]) -> Path:
    """A run of a toy with texts of its files exchanged; each must be there."""
    copy = folder / "files"
    shutil.copytree(TOYS / toy, copy)
    for old, new in changes.items():
        texts = {file: file.read_text() for file in copy.glob("*.yaml") if file.name != "answer.yaml"}
        assert any(old in text for text in texts.values())
        for file, text in texts.items():
            file.write_text(text.replace(old, new))
    create_run(load_world(copy), RunRequest(folder / "run", SolveOptions(work_limit=2_000)), lambda _: None)
    return folder / "run"


def compared(toy: str, folder: Path, changes: dict[str, str]) -> Document:
    a, b = run_of(toy, folder / "a", {}), run_of(toy, folder / "b", changes)
    return compare_runs(a, b, by_cause=True)


def by_name(lines: list[Document]) -> dict[str, tuple[int, int]]:
    return {one["name"]: (one["a"], one["b"]) for one in lines}


MORE_RACKS = {"{quarter: 2027-Q2, racks: 2}": "{quarter: 2027-Q2, racks: 4}"}
DEARER = {"rental: 1 USD": "rental: 2 USD", "rack_price: 0 USD": "rack_price: 50000 USD"}


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """Twice the rental for a price, and two racks more in the second quarter.

    A rack of the first quarter earns 157,680 · (1 + 1/2 + 1/4) = 275,940 USD, one of the second 137,970; A has 3 and
    2 of them, worth 1,103,760. B earns twice as much with 3 and 4, and pays 50,000 for each.
    """
    return compared("toy-supply", tmp_path_factory.mktemp("more"), MORE_RACKS | DEARER)


def test_lines_sites_systems_and_starts_by_hand(more: Document) -> None:
    found, a, b = more["causes"], 110_376_000, 240_940_000
    assert found["npv_cents"] == [a, b]
    assert by_name(found["line"]) == {"rental at market price": (a, b + 35_000_000), "racks": (0, -35_000_000)}
    assert by_name(found["site"]) == {"toy-supply": (a, b)}
    assert by_name(found["system"]) == {"gb200-nvl72": (a, b)}
    starts = {"2027-Q1": (3 * 27_594_000, 3 * 50_188_000), "2027-Q2": (2 * 13_797_000, 4 * 22_594_000)}
    assert by_name(found["start"]) == starts


def test_inputs_are_told_from_the_plan(more: Document) -> None:
    """Plan A under B's prices is worth 2 · 1,103,760 − 5 · 50,000; two more racks bring 2 · (275,940 − 50,000)."""
    steps = more["causes"]["steps"]
    assert [(one["cause"], one["difference"]) for one in steps] == [
        ("prices and money", 85_376_000),
        ("deliveries", 0),
        ("the plan", 45_188_000),
    ]
    assert all(one["n_broken"] == 0 for one in steps)
    assert more["causes"]["second_under_first"] == {
        "cents": 3 * 27_594_000 + 4 * 13_797_000,
        "reason": None,
        "n_broken": 1,
        "broken": ["*:supply:gb200-nvl72"],
    }


@pytest.mark.parametrize(
    ("toy", "changes"),
    [
        ("toy-contract", {"amount: 500000 USD": "amount: 700000 USD", "market_factor: 0.5": "market_factor: 0.7"}),
        ("toy-minimum-demand", {"discount_rate_per_year: 0": "discount_rate_per_year: 0.07"}),
        ("toy-opening-cost", {"discount_rate_per_year: 0": "discount_rate_per_year: 0.1", "racks: 1": "racks: 2"}),
        ("toy-opening-phases", {"discount_rate_per_year: 0": "discount_rate_per_year: 0.02"}),
        ("toy-demand-charge", {"opex_per_it_watt_year: 0": "opex_per_it_watt_year: 1"}),
        ("toy-never-fewer", {"rental_decline_per_year: 0.9375": "rental_decline_per_year: 0.3"}),
        ("toy-refresh", {"discount_rate_per_year: 0": "discount_rate_per_year: 0.07"}),
        ("toy-work", {"price: 20 USD": "price: 21 USD"}),
        ("toy-tranche-budget", {"discount_rate_per_year: 0": "discount_rate_per_year: 0.07"}),
        ("toy-conversion-taps", {"rack_price: 0 USD": "rack_price: 12345.67 USD"}),
    ],
)  # fmt: skip
def test_every_split_adds_up_to_the_cent(toy: str, changes: dict[str, str], tmp_path: Path) -> None:
    found = compared(toy, tmp_path, changes)["causes"]
    a, b = found["npv_cents"]
    for split in SPLITS:
        assert sum(one["a"] for one in found[split]) == a
        assert sum(one["b"] for one in found[split]) == b
        assert sum(one["difference"] for one in found[split]) == b - a
    assert sum(one["difference"] for one in found["steps"]) == b - a
    assert found["steps"][-1]["kind"] == "plan"


def test_a_plan_that_cannot_be_valued_elsewhere_says_why(tmp_path: Path) -> None:
    """Another start leaves the first plan nothing to stand on; the rest of the difference is told as one."""
    changes = {"start: 2027-Q1\n": "start: 2027-Q2\n", "{quarter: 2027-Q1, racks: 3}, ": ""}
    found = compared("toy-supply", tmp_path, changes)["causes"]
    cut = [one for one in found["steps"] if one["reason"]]
    assert "it decides over other quarters than 2027-Q2 to 2027-Q4" in cut[-1]["reason"]
    assert found["steps"][-1]["cause"] == "the plan, and inputs under which the first one cannot be placed"
    assert sum(one["difference"] for one in found["steps"]) == found["npv_cents"][1] - found["npv_cents"][0]
    assert found["second_under_first"]["cents"] is None


def test_equal_runs_differ_by_nothing(tmp_path: Path) -> None:
    found = compared("toy-supply", tmp_path, {})
    assert [(one["cause"], one["difference"]) for one in found["causes"]["steps"]] == [("the plan", 0)]
    assert all(one["difference"] == 0 for one in table_lines(found))


def test_causes_are_shown_and_can_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = run_of("toy-supply", tmp_path / "a", {}), run_of("toy-supply", tmp_path / "b", MORE_RACKS)
    for more, shown in (((), True), (("--no-causes",), False)):
        with pytest.raises(SystemExit) as ended:
            main(["compare", str(a), str(b), "--csv", str(tmp_path / "table.csv"), *more])
        assert ended.value.code == 0
        out = capsys.readouterr().out
        assert ("Worth in money by input, then the plan" in out) is shown
        assert ("by input,,the plan" in (tmp_path / "table.csv").read_text()) is shown

"""Contract clauses of a portfolio: what may be written, and that each fault says what is allowed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sites.faults import InputError
from sites.world import load_world

DOCS = Path(__file__).parents[1] / "docs"
PROVENANCE = {"status": "assumption", "source": "a test"}
FLOOR = {
    "name": "live",
    "measure": "it-w",
    "steps": [{"start": "2027-Q1", "minimum": "3 MW"}],
    "price": "20 USD/kW",
    "provenance": PROVENANCE,
}
SHARE = {
    "name": "one-vendor",
    "measure": "spend",
    "vendors": ["nvidia"],
    "at_most": "62.5 %",
    "price": 0.1,
    "provenance": PROVENANCE,
}
TRANCHE = {
    "name": "first",
    "measure": "racks",
    "target": 4,
    "by": "2027-Q1",
    "cash": "1e6 USD",
    "provenance": PROVENANCE,
}
COMMITMENT = {
    "name": "rent",
    "amount": "1e9 USD",
    "start": "2027-Q1",
    "end": "2027-Q2",
    "provenance": PROVENANCE,
}
TERMINATION = {
    "name": "way-out",
    "commitment": "rent",
    "notice_quarters": 1,
    "steps": [{"start": "2027-Q1", "share": "50 %"}],
    "provenance": PROVENANCE,
}
CLAUSES: dict[str, dict[str, Any]] = {
    "floors": FLOOR,
    "shares": SHARE,
    "tranches": TRANCHE,
    "commitments": COMMITMENT,
    "termination": TERMINATION,
}


def _write(folder: Path, **clauses: Any) -> Path:
    file = folder / "portfolio.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump(document | clauses), encoding="utf-8")
    return file


def _message(folder: Path, key: str, change: dict[str, Any]) -> str:
    """What loading says once one clause of a kind is changed; keys that become None are left out."""
    clauses = CLAUSES | {key: CLAUSES[key] | change}
    written = {
        kind: [{name: value for name, value in clause.items() if value is not None}] for kind, clause in clauses.items()
    }
    with pytest.raises(InputError) as caught:
        load_world(_write(folder, **written))
    return str(caught.value)


def test_every_clause_loads(tiny: Path) -> None:
    """One clause of each kind, with amounts in the unit of its measure."""
    portfolio = load_world(_write(tiny, **{key: [clause] for key, clause in CLAUSES.items()})).portfolio
    assert portfolio.floors[0].steps[0].minimum == 3_000_000
    assert portfolio.shares[0].share.limit_denominator() == portfolio.shares[0].share
    assert portfolio.tranches[0].target == 4
    assert portfolio.commitments[0].amount == 10**9
    assert portfolio.termination[0].commitment == portfolio.commitments[0].name


def test_the_example_of_the_page_loads(tiny: Path) -> None:
    """What the page on contracts shows is what may be written, beside a budget for racks."""
    example = re.search(r"```yaml\n(.*?)```", (DOCS / "contract.md").read_text(encoding="utf-8"), re.S)
    assert example is not None
    written: dict[str, Any] = yaml.safe_load(example[1])
    money = yaml.safe_load((tiny / "portfolio.yaml").read_text(encoding="utf-8"))["money"]
    portfolio = load_world(_write(tiny, money=money | {"rack_budget": "50e6 USD"}, **written)).portfolio
    assert all(getattr(portfolio, key) for key in CLAUSES)
    assert set(written) == set(CLAUSES)


def test_clauses_are_optional(tiny: Path) -> None:
    """A portfolio without clauses has none."""
    portfolio = load_world(tiny).portfolio
    assert not any((portfolio.floors, portfolio.shares, portfolio.tranches, portfolio.commitments))


@pytest.mark.parametrize(
    ("key", "change", "said"),
    [
        ("floors", {"measure": "it"}, "meter-w"),
        ("floors", {"measure": "racks"}, "whole number"),
        ("floors", {"price": "20 USD"}, "USD/W"),
        ("floors", {"sites": ["nowhere"]}, "site of the portfolio"),
        ("floors", {"systems": ["h100"]}, "system on offer"),
        ("floors", {"steps": [{"start": "2099-Q1", "minimum": "3 MW"}]}, "after the last decision"),
        ("floors", {"measure": "tokens", "workloads": ["chat"], "price": "1 USD/million"}, "plain number"),
        (
            "floors",
            {
                "measure": "tokens",
                "workloads": ["chat"],
                "price": "1 USD/million",
                "steps": [{"start": "2027-Q1", "minimum": 5}],
            },
            "unknown workload 'chat'",
        ),
        ("shares", {"at_least": "10 %"}, "either 'at_most'"),
        ("shares", {"at_most": None}, "either 'at_most'"),
        ("shares", {"vendors": None}, "name its 'sites'"),
        ("shares", {"vendors": ["amd"]}, "vendor of a system on offer"),
        ("shares", {"at_most": "33.333 %"}, "hundredths of a percent"),
        ("shares", {"start": "2099-Q1"}, "a decision quarter is due"),
        ("tranches", {"cash": None}, "adds to the 'rack_budget'"),
        ("tranches", {"target": 0}, "above 0"),
        ("tranches", {"by": "2099-Q1"}, "a decision quarter is due"),
        ("tranches", {"rack_budget": "1e6 USD"}, "has no 'rack_budget'"),
        ("tranches", {"name": "live"}, "names of their own"),
        ("commitments", {"start": "2026-Q1"}, "before the plan's start"),
        ("commitments", {"end": "2099-Q1"}, "no rack of the plan can stand"),
        ("commitments", {"start": "2027-Q3"}, "must not end before it begins"),
        ("termination", {"commitment": "lease"}, "unknown commitment 'lease'"),
        ("termination", {"steps": [{"start": "2028-Q1", "share": "50 %"}]}, "after the end of 'rent'"),
    ],
)
def test_fault_says_what_is_allowed(key: str, change: dict[str, Any], said: str, tiny: Path) -> None:
    """Every fault is told at the clause's own key."""
    message = _message(tiny, key, change)
    assert said in message
    assert f": {key}[0]" in message

"""Whole runs under a contract: clauses beside a refresh hold together, and a tampered ledger is refused."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import yaml
from contract_cases import clause, commitment, floor, share, tranche
from toy_cases import TOYS

from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.verify import verify
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

NEW = "vr-nvl72"


def refreshed(folder: Path, lag: int) -> Path:
    """A run of the refresh toy under clauses that count its racks before, while and after they are exchanged."""
    shutil.copytree(TOYS / "toy-refresh", folder / "toy")
    file = folder / "toy" / "portfolio.yaml"
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["money"]["acceptance_lag_quarters"] = lag
    for supply in document["supply"]:
        supply["order_lead_quarters"] = 2
    document |= {
        "floors": [
            floor("accepted-racks", 3, "10 USD", name="accepted"),
            floor("meter-w", "1 MW", "1 USD/kW", name="power"),
        ],
        "shares": [share("gpus", "1 USD", systems=[NEW], at_most="50 %")],
        "tranches": [tranche("racks", 1, by="2027-Q4", systems=[NEW], cash="100 USD")],
        "commitments": [commitment("1e6 USD", "2027-Q1", "2027-Q4")],
        "termination": [
            clause("leave", commitment="rent", notice_quarters=1, steps=[{"start": "2027-Q1", "share": "50 %"}])
        ],
    }
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    options = SolveOptions(backend="numpy", work_limit=20_000)
    return create_run(load_world(file), RunRequest(folder / "run", options), lambda _: None).folder


def test_clauses_count_racks_of_a_refresh(tmp_path: Path) -> None:
    """Two racks stand throughout, of one system and then of the other; new ones are accepted anew."""
    run = refreshed(tmp_path, lag=1)
    report = verify(run)
    assert report.ok, report.failed()
    terms = json.loads((run / "plan.json").read_text(encoding="utf-8"))["terms"]
    accepted = [line["reached"] for line in terms["floors"] if line["name"] == "accepted"]
    assert accepted == [0, 2, 0, 2]
    assert [line["part"] for line in terms["shares"]] == [0, 0, 144, 144]
    assert terms["tranches"][0]["paid"]
    assert [(order["system"], order["n_used"]) for order in terms["orders"]] == [("gb300-nvl72", 2), (NEW, 2)]


def test_a_tampered_ledger_is_refused(tmp_path: Path) -> None:
    """A floor that is said to be nearer than it is, and a contract of which the plan says nothing."""
    run = refreshed(tmp_path, lag=0)
    plan = json.loads((run / "plan.json").read_text(encoding="utf-8"))
    plan["terms"]["floors"][0]["reached"] += 1
    (run / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    assert [check.name for check in verify(run).failed()] == ["terms"]
    del plan["terms"]
    (run / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    assert [check.name for check in verify(run).failed()] == ["terms"]

"""What a portfolio may ask of workloads, perspectives and payments, and how it is told what is wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures.small_site import PROVENANCE
from fixtures.small_world import small_portfolio
from pydantic import ValidationError
from work_cases import BASIS, made_basis, tier, work_content, workload

from sites.catalog.loader import load_catalog
from sites.schema.portfolio import PortfolioFile
from sites.workload_checks import money_findings, workload_findings
from sites.yaml_nodes import plain_value, read_nodes

CATALOG = replace(load_catalog(), throughput={BASIS: made_basis()})


def found(
    *workloads: dict[str, Any], site_names: tuple[str, ...] | None = ("small",), **changes: Any
) -> dict[str, str]:
    """Messages by the keys that they are about."""
    portfolio = PortfolioFile.model_validate(small_portfolio(**work_content(*workloads, **changes)))
    listed = list(workload_findings(portfolio, site_names, CATALOG, portfolio.periods)) + list(
        money_findings(portfolio)
    )
    assert len({path for _, path in listed}) == len(listed)
    return {".".join(map(str, path)): message for message, path in listed}


def test_a_portfolio_that_can_be_served_has_no_fault() -> None:
    assert found() == {}
    assert found(perspective="customer") == {}


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"speed": "61 tokens/s/user"}, "speed", "nearest speed allowed is 60 tokens/s/user"),
        ({"ttft": "2 s", "speed": "60 tokens/s/user"}, None, None),
        ({"basis": "mede"}, "basis", "did you mean 'made'"),
        ({"kind": "training", "speed": None}, "basis", "measures inference, not training"),
        ({"sites": ["smoll"]}, "sites.0", "did you mean 'small'"),
        ({"sites": ["small", "small"]}, "sites.1", "stands here a second time"),
        (
            {"tiers": [tier("a", "1", "8", demand=[{"start": "2027-Q2", "rate": "1 1/s"}])]},
            "tiers.0.demand.0.start",
            "begins in 2027-Q2, after the plan's start 2027-Q1",
        ),
        ({"tiers": [tier("a", "1", "2"), tier("b", "1", "3")]}, "tiers.1.price", "worth 3 USD/million in 2027-Q1"),
        (
            {"tiers": [tier("a", "1", "2"), tier("b", "1", "1", penalty="1.5 USD/million")]},
            "tiers.1.price",
            "worth 2.5 USD/million in 2027-Q1, price and penalty together, more than 'a' before it with 2",
        ),
        (
            {"tiers": [tier("a", "1", "4", price_decline_per_year="0.9375"), tier("b", "1", "1.5")]},
            "tiers.1.price",
            "worth 1.5 USD/million in 2027-Q3",
        ),
        ({"tiers": [tier("a", "1", "1", penalty="2 USD/million"), tier("b", "1", "3")]}, None, None),
    ],
)
def test_what_a_workload_may_ask(changes: dict[str, Any], key: str | None, words: str | None) -> None:
    told = found(workload(**changes))
    if key is None or words is None:
        assert told == {}
    else:
        assert list(told) == [f"workloads.0.{key}"]
        assert words in told[f"workloads.0.{key}"]


def test_a_site_that_could_not_be_loaded_is_no_second_fault() -> None:
    assert found(workload(sites=["elsewhere"]), site_names=None) == {}


def test_nothing_that_was_measured_serves() -> None:
    told = found(configurations=["vr-nvl72/max-p"])
    assert "no configuration on offer serves this workload" in told["workloads.0.speed"]
    assert "nothing was measured" in told["workloads.0.speed"]


def test_what_workloads_need_of_the_portfolio() -> None:
    assert "set 'perspective' to 'chain' or 'customer'" in found(perspective="provider")["workloads"]
    assert "'goodput' is missing" in found(goodput=None)[""]
    lag = found(money={"acceptance_lag_quarters": 3, "economic_life_quarters": 3})
    assert "racks live 3 quarters" in lag["money.acceptance_lag_quarters"]


def test_keys_that_would_do_nothing() -> None:
    changes = {
        "goodput": {"share": 1, "provenance": PROVENANCE},
        "co_design_gains": [{"start": "2027-Q4", "cost_reduction": "0.2", "provenance": PROVENANCE}],
        "money": {"storage_share_per_quarter": 0},
    }
    portfolio = PortfolioFile.model_validate(small_portfolio(**changes))
    listed = [*workload_findings(portfolio, ("small",), CATALOG, 6), *money_findings(portfolio)]
    assert [path for _, path in listed] == [("co_design_gains",), ("goodput",), ("money", "storage_share_per_quarter")]


def test_what_perspectives_and_committed_racks_need_of_the_money() -> None:
    assert "set 1" in found(perspective="customer", money={"market_factor": "0.9"})["money.market_factor"]
    deliveries = [{"quarter": "2027-Q1", "racks": 9}]
    supply = [
        {"system": system, "deliveries": deliveries, "committed": True, "provenance": PROVENANCE}
        for system in ("gb200-nvl72", "gb300-nvl72")
    ]
    assert "'storage_share_per_quarter' is missing" in found(supply=supply)["money"]
    assert found(supply=supply, money={"storage_share_per_quarter": 0}) == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "training"}, "found a 'speed' for training"),
        ({"speed": "0 tokens/s/user"}, "leave 'speed' out for batch work"),
        ({"speed": None, "ttft": "1 s"}, "found a 'ttft' for work without 'speed'"),
        ({"work_factor": 0}, "above 0 is due"),
        ({"tiers": []}, "at least 1 item"),
        ({"tiers": [tier("a", "1", "1"), tier("a", "1", "1")]}, "tier 'a' of workload 'chat'"),
        ({"tiers": [{"name": "a", "price": "1 USD/million"}]}, "Field required"),
        (
            {"tiers": [tier("a", "1", "1", demand=[{"start": q, "rate": "1 1/s"} for q in ("2027-Q2", "2027-Q1")])]},
            "steps ascend",
        ),
        ({"charges": [{"name": "egress", "cost": "1 USD/million", "provenance": PROVENANCE}] * 2}, "charge 'egress'"),
    ],
)
def test_a_workload_that_contradicts_itself(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        PortfolioFile.model_validate(small_portfolio(**work_content(workload(**changes))))


def test_workloads_are_named_once() -> None:
    with pytest.raises(ValidationError, match="workload 'chat' stands here a second time"):
        PortfolioFile.model_validate(small_portfolio(**work_content(workload(), workload())))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([("0.5", 0), ("0.4", 1)], "sum to 0.9; they must sum to 1"),
        ([("0.5", 1), ("0.5", 0)], "payments ascend by offset"),
    ],
)
def test_payments_are_the_whole_price_in_order(parts: list[tuple[str, int]], words: str) -> None:
    listed = [{"share": share, "offset_quarters": offset} for share, offset in parts]
    with pytest.raises(ValidationError, match=words):
        PortfolioFile.model_validate(small_portfolio(money={"payment_terms": listed}))


def test_the_portfolio_keys_of_the_documents_are_allowed() -> None:
    """The example of docs/workloads.md, beside a portfolio that offers a system which its basis knows."""
    text = (Path(__file__).parent.parent / "docs" / "workloads.md").read_text(encoding="utf-8")
    [body] = re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)
    written = plain_value(read_nodes(body.encode(), "workloads.md")[0])
    portfolio = PortfolioFile.model_validate(small_portfolio(**written))
    listed = [*workload_findings(portfolio, ("small",), load_catalog(), 6), *money_findings(portfolio)]
    assert listed == []
    assert set(type(portfolio.workloads[0]).model_fields) - set(written["workloads"][0]) == {"ttft"}

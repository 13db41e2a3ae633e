"""The side program of a plan and of a certificate under verification: what is refused, and bounds by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from verify_cases import GB300, NO_PRICES, chat, supply, verification_of, world_of
from work_cases import tier

from planner.verify.certificate import CertificateError
from planner.verify.decisions import block_counts
from planner.verify.side import Side, right_of
from planner.verify.side_check import check_decisions, read_decisions
from planner.verify.terms import ONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.check import Verification
    from planner.verify.standing import Counts

QUARTER = "2027-Q3"
"""The first in which a row stands."""
SOLD, SERVE = f"sold:chat:contracted:{QUARTER}", f"serve:small:gb300-nvl72:chat:{QUARTER}"
WORK, HOURS = f"work:chat:{QUARTER}", f"hours:small:gb300-nvl72:{QUARTER}"
# By hand in test_verify_work: 78,840 units asked for, 0.8 cents each, 360 an hour, which costs 2.80 USD.
UNIT, HOUR, RATE, ASKED, MOST = ONE * 8 // 10, 280 * ONE, 360, 78_840, 219


def placed_in(verification: Verification, *n_racks: int) -> dict[str, dict[str, Counts]]:
    """Racks in the first row by decision period."""
    row = next(iter(verification.setting.rows["small"]))
    return {"small": {row: {GB300: list(n_racks)}}} if any(n_racks) else {"small": {}}


def failed(decisions: object, *n_racks: int) -> str:
    """What the check of decisions says of a plan; empty where it holds."""
    verification = verification_of(world_of(), {"decisions": decisions})
    side = verification.side
    check = check_decisions(side, placed_in(verification, *n_racks), *read_decisions(verification.run.plan, side))
    return "" if check.ok else check.detail


def test_decisions_that_racks_allow_are_accepted() -> None:
    """One rack works 219 of its 2,190 hours, which is all that is asked for; zeros may be stated or left out."""
    assert failed({SERVE: 219, SOLD: 78_840}, 1, 1, 1, 1, 1, 1) == ""
    assert failed({SERVE: 219, SOLD: 0}, 1, 1, 1, 1, 1, 1) == ""
    assert failed({}, 0) == ""


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        ({SERVE: 220}, "a whole number from 0 to 219 is due"),
        ({SERVE: -1}, "is -1; a whole number"),
        ({SERVE: 1.5}, "is 1.5; a whole number"),
        ({SERVE: True}, "is True; a whole number"),
        ({"serve:small:gb300-nvl72:chat:2031-Q1": 1}, "is nothing that this portfolio leaves to decide"),
        ({SERVE: 218, SOLD: 218 * 360 + 1}, f"'{WORK}' uses 1 of 0"),
        ([SERVE], "must be an object"),
    ],
)
def test_decisions_out_of_place_are_refused(decisions: object, words: str) -> None:
    assert words in failed(decisions, 1, 1, 1, 1, 1, 1)


def test_hours_of_racks_that_do_not_stand_are_refused() -> None:
    assert f"'{HOURS}' uses 1 of 0" in failed({SERVE: 1}, 0, 0, 0, 1, 1, 1)
    late = "serve:small:gb300-nvl72:chat:2029-Q1"
    assert failed({late: 219}, 0, 1, 1, 1, 1, 1) == ""
    assert "uses 219 of 0" in failed({late: 219}, 1, 1, 1, 1, 1, 1), "the racks of 2027-Q1 are gone after two years"


def test_plan_without_side_program_decides_nothing_beside_its_racks() -> None:
    verification = verification_of(
        world_of(perspective="provider", workloads=[], goodput=None), {"decisions": {"z": 0}}
    )
    values, faults = read_decisions(verification.run.plan, verification.side)
    assert (values, len(faults)) == ({}, 1)


def price(cents_scaled: int) -> str:
    """A price of a certificate, in 2^-30 cents, from one in 2^-20 cents."""
    return str(cents_scaled << 10)


def bound_of(side: Mapping[str, Any]) -> int:
    """What a certificate with these prices proves; racks of 100,000 USD are worth none of the 13 quarters of work."""
    return verification_of(world_of(), side=side)._bound_cents()


def test_bound_without_prices_sells_everything() -> None:
    assert bound_of({}) == 13 * ASKED * UNIT // ONE == 819_935


def test_price_of_work_makes_hours_pay() -> None:
    """At 0.8 cents a unit an hour earns 288 cents of its 280: 219 hours of it take the place of what was sold."""
    assert bound_of({WORK: price(UNIT)}) == (12 * ASKED * UNIT + MOST * (RATE * UNIT - HOUR)) // ONE


def test_price_of_hours_makes_racks_pay() -> None:
    """Then nothing is left of that quarter but 2,190 hours of 8 cents for a rack.

    Nothing keeps racks from leaving again at the price that they came for, as that is priced at 0 and money is not
    discounted: the eight rows that take racks are full, 4 in each.
    """
    hours = RATE * UNIT - HOUR
    due = (12 * ASKED * UNIT + 8 * 4 * 2190 * hours) // ONE
    assert bound_of({WORK: price(UNIT), HOURS: price(hours)}) == due


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ({"work:chat:2031-Q1": "1"}, "rows of the side program"),
        ({WORK: "-1"}, "a whole number of 0 or more"),
        ({WORK: 1}, "a whole number of 0 or more"),
        ([], "an object"),
    ],
)
def test_prices_of_nothing_are_refused(side: Any, words: str) -> None:
    with pytest.raises(CertificateError, match=words):
        bound_of(side)


def with_instalment(n_switches: int = 1, **certificate: Any) -> Verification:
    """Two racks delivered and a budget for one; each instalment pays for one more, for a fee of a tenth of a price."""
    world = world_of(
        supply=[supply(("2027-Q1", 2))],
        money={"rack_budget": "100000 USD", "economic_life_quarters": 8},
        perspective="provider",
        workloads=[],
        goodput=None,
    )
    verification = verification_of(world, **certificate)
    side = Side()
    for number in range(n_switches):
        side.column(f"tranche:{number}", -1_000_000 * ONE, 1)
        for t in range(len(verification.periods)):
            side.capacity(f"tranche:{number}", "*:budget:racks", t, 10_000_000 * ONE)
    verification.__dict__["side"] = side
    return verification


def test_instalment_raises_the_budget_of_those_who_take_it() -> None:
    for decisions, is_kept in (({}, False), ({"tranche:0": 1}, True)):
        verification = with_instalment()
        verification.run.plan["decisions"] = decisions
        verification.__dict__["_placements"] = placed_in(verification, 2, 2, 2, 2, 2, 2), []
        check = verification._limit_check()
        assert check.ok is is_kept
        assert is_kept or "*:budget:racks" in check.detail


def test_bound_lets_a_row_hold_what_an_instalment_pays_for() -> None:
    """Without prices a row holds what it may with the instalment: two racks in place of one, and two of each row."""
    alone, raised = with_instalment(0)._bound_cents(), with_instalment()._bound_cents()
    assert raised > alone > 0


def test_price_of_a_raised_limit_counts_the_instalment() -> None:
    """The budget at 1 cent for a cent, and the instalment brings its 10,000,000 cents less a fee of a tenth."""
    limits = {"*:budget:racks": {QUARTER: str(1 << 30)}}
    taken, none = with_instalment(1, limits=limits), with_instalment(0, limits=limits)
    assert taken._bound_cents() - none._bound_cents() >= 9_000_000


@pytest.mark.parametrize("key", ["inside", "whole"])
def test_raised_limit_is_priced_in_the_open(key: str) -> None:
    stated: Any = {QUARTER: "1"} if key == "inside" else [QUARTER]
    verification = with_instalment(1, **{key: {"*:budget:racks": {GB300: stated}}})
    with pytest.raises(CertificateError, match="instalments may raise"):
        verification._bound_cents()


def test_no_plan_is_worth_more_than_any_prices_prove() -> None:
    """Work at a thousand times the price, so that racks may pay: plans of 0 to 4 racks with the best decisions."""
    verification, due = worked(), {}
    for n in range(5):
        values = verification.side.worth_cents(best_decisions(verification.side, n))
        placed = placed_in(verification, 0, 0, n, n, n, n)
        racks_cents = verification.ledger.objective(placed, block_counts(placed, verification.setting))
        due[n] = racks_cents + values
    assert max(due.values()) > due[0] == 0, "work pays for some racks"
    random = np.random.default_rng(7)
    for _ in range(12):
        scale = float(random.choice([0.0, 0.3, 1.0, 3.0]))
        prices = {
            name: str(int(random.random() * scale * (8 if name.startswith("work") else 2_000) * 2**30))
            for name in verification.side.rows
        }
        proven = worked(side=prices)._bound_cents()
        assert proven >= max(due.values())
        # Two leaves: no racks in the first row, or some; on their own finer grid.
        finer = {name: str(int(text) << 20) for name, text in prices.items()}
        leaf = {**NO_PRICES, "side": finer, "sides": ["0"], "scale_bits": 50}
        row = next(iter(verification.setting.rows["small"]))
        split = {"rows": [f"small:{row}"], "configurations": [GB300], "period": QUARTER, "at_most": 0}
        in_branches = worked(trees={"problem": {**split, "below": leaf, "above": leaf}})._bound_cents()
        assert max(due.values()) <= in_branches <= proven


def worked(**certificate: Any) -> Verification:
    """The world that works, its work at 8,000 USD a million."""
    return verification_of(world_of(chat(tiers=[tier("contracted", "10", "8000")])), **certificate)


def best_decisions(side: Side, n_racks: int) -> dict[str, int]:
    """One configuration, one workload, one tier: every quarter is a sum of its own."""
    values = {}
    for name in [one for one in side.columns if one.startswith("serve")]:
        quarter, column = name.rpartition(":")[2], side.columns[name]
        row = side.rows[f"hours:small:gb300-nvl72:{quarter}"]
        standing = {("small", GB300): [0, 0, n_racks, n_racks, n_racks, n_racks]}
        values[name] = min(column.most, right_of(row, standing))
        sold = f"sold:chat:contracted:{quarter}"
        values[sold] = min(side.columns[sold].most, -column.terms[f"work:chat:{quarter}"] * values[name])
    return values


def leaf(cents_scaled: int, **changes: Any) -> dict[str, Any]:
    """A leaf at a price of work, in 2^-20 cents for a unit; the grid of leaves is 2^-50."""
    return {**NO_PRICES, "side": {WORK: str(cents_scaled << 30)}, "sides": [], "scale_bits": 50} | changes


def split_bound(at_most: object, below: Any, above: Any, decision: object = SOLD) -> int:
    """What a tree proves that splits what is sold in a quarter."""
    node = {"decision": decision, "at_most": at_most, "below": below, "above": above}
    return verification_of(world_of(), trees={"problem": node})._bound_cents()


def test_split_of_a_decision_holds_it_in_its_leaves() -> None:
    """Above, 101 units at the least are sold at 0.8 cents and bought at 1.6; below, 100 at the most at no price."""
    others = 12 * ASKED * UNIT
    above = (others - 101 * UNIT + MOST * (2 * RATE * UNIT - HOUR)) // ONE
    assert split_bound(100, leaf(UNIT), leaf(2 * UNIT)) == above
    assert split_bound(100, leaf(0), leaf(UNIT)) == (others + MOST * (RATE * UNIT - HOUR)) // ONE
    assert split_bound(10_000, leaf(0), leaf(UNIT)) == (others + 10_000 * UNIT) // ONE


def test_leaf_without_a_decision_left_holds_no_plan() -> None:
    """More than is asked for cannot be sold, whatever the prices there."""
    assert split_bound(ASKED, leaf(UNIT), leaf(0)) == split_bound(100, leaf(UNIT), leaf(UNIT))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"decision": "sold:chat:spot:2027-Q3"}, "what is decided beside the racks"),
        ({"decision": WORK}, "what is decided beside the racks"),
        ({"decision": None}, "what is decided beside the racks"),
        ({"at_most": -1}, "a whole number from 0"),
        ({"at_most": 0.5}, "a whole number from 0"),
        ({"at_most": True}, "a whole number from 0"),
        ({"above": None}, "a node or a leaf under 'above'"),
        ({"above": leaf(UNIT, sides=["0"])}, "a multiplier for each of the 0 splits of racks"),
        ({"above": leaf(UNIT, side={"work": "0"})}, "rows of the side program"),
    ],
)
def test_splits_of_nothing_are_refused(changes: dict[str, Any], words: str) -> None:
    sound: dict[str, Any] = {"at_most": 100, "below": leaf(UNIT), "above": leaf(UNIT)}
    with pytest.raises(CertificateError, match=words):
        split_bound(**(sound | changes))

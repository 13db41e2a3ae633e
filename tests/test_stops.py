"""Failures that stop rows, by hand: units that lose power, banks without spares, planes, and planned outages."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.small_site import group, small_site
from fixtures.small_world import small_world

from planner.errors import InfeasibleError
from planner.lower import lower, lowering, site_table
from planner.lower.site import prepare
from planner.problem import SHARE_BITS
from sites.schema.failures import FailureKind

if TYPE_CHECKING:
    from planner.lower import Lowered
    from planner.lower.site import EpochState

L1 = "b1/h1/l01"
PERIODS = ("2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4")
BUSWAY_ONLY = "class 'standard' does not allow"


def two_feeder_site(**lineup: dict[str, Any]) -> dict[str, Any]:
    """One 2N lineup of two rows on two feeders; parts of the lineup as given."""
    content = small_site({"kind": "2n"}, n_rows=2)
    content["building_templates"]["hall-house"]["lineups"][0]["count"] = 1
    for part, changes in lineup.items():
        content["lineup_templates"]["standard"][part] |= changes
    return content


def state_of(content: dict[str, Any]) -> EpochState:
    """The last epoch of a site."""
    world = small_world(content)
    return prepare(world.sites[0], world.catalog, PERIODS).states[-1]


def all_limits(content: dict[str, Any]) -> Lowered:
    """The lowered world with limits that others imply."""
    with pytest.MonkeyPatch.context() as patch:
        for part in (lowering, site_table):
            patch.setattr(part, "drop_implied", lambda limits, eligible: [])
        return lower(small_world(content))


def refusal(content: dict[str, Any]) -> str:
    """Why no row of a site holds anything."""
    with pytest.raises(InfeasibleError) as caught:
        lower(small_world(content))
    return str(caught.value)


MATCHED_CDUS = {"unit_feeds": "matched", "cdus": {"equipment": "cdu-1mw", "count": 3, "spares": 1}}
"""CDU 1 and 3 on feeder 1, CDU 2 on feeder 2."""


def test_units_on_a_lost_feeder_are_lost() -> None:
    """Feeder 1 takes two of three CDUs, feeder 2 takes one; with feeds to all, no feeder takes any."""
    state = state_of(two_feeder_site(liquid=MATCHED_CDUS))
    lost = {failed: {bank.failure: n for bank, n in one.n_lost.items()} for failed, one in state.consequences.items()}
    assert lost["b1/feeder-1"] == {f"{L1}/cdu": 2}
    assert lost["b1/feeder-2"] == {f"{L1}/cdu": 1}
    assert lost[f"{L1}/ups-1"] == {}
    state = state_of(two_feeder_site())
    assert not any(one.n_lost for failed, one in state.consequences.items() if "feeder" in failed)


def test_limit_of_a_bank_that_loses_more_than_its_spares() -> None:
    """One CDU left of three takes the heat and flow of both rows; the loss of a spare is no limit of its own."""
    problem = all_limits(two_feeder_site(liquid=MATCHED_CDUS)).problem
    named = {limit.name: i for i, limit in enumerate(problem.limits) if limit.family in {"liquid", "flow"}}
    assert set(named) == {
        f"small:{family}:{L1}/liquid{tail}" for family in ("liquid", "flow") for tail in ("", ":b1/feeder-1")
    }
    weights = {
        name: problem.entry_coefficient[problem.limit_ptr[i] : problem.limit_ptr[i + 1]] for name, i in named.items()
    }
    whole, half = weights[f"small:liquid:{L1}/liquid:b1/feeder-1"], weights[f"small:liquid:{L1}/liquid"]
    assert whole.tolist() == (2 * half).tolist()
    assert whole[0, 0] == 114_840 << SHARE_BITS
    limit = problem.limits[named[f"small:liquid:{L1}/liquid:b1/feeder-1"]]
    assert (limit.contingency, limit.before_action) == ("b1/feeder-1", False)
    assert problem.capacity[named[f"small:liquid:{L1}/liquid:b1/feeder-1"], -1] == 1_000_000 << SHARE_BITS


def test_rows_without_supply_leave_the_bank_to_the_others() -> None:
    """Single blocks: feeder 1 takes row 1 and two CDUs, so the last CDU has row 2 alone to cool."""
    content = two_feeder_site(liquid=MATCHED_CDUS)
    lineup = content["lineup_templates"]["standard"]
    lineup["scheme"] = {"kind": "n", "blocks": 2}
    del lineup["ride_through"]
    kinds = [str(kind) for kind in FailureKind]
    content["availability"][0]["may_drop_on"] = kinds
    problem = all_limits(content).problem
    index = next(i for i, one in enumerate(problem.limits) if one.name == f"small:liquid:{L1}/liquid:b1/feeder-1")
    rows = problem.entry_row_idx[problem.limit_ptr[index] : problem.limit_ptr[index + 1]]
    assert [problem.row_names[row] for row in rows] == [f"small:{L1}/r2"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"liquid": MATCHED_CDUS | {"cdus": {"equipment": "cdu-1mw", "count": 1, "spares": 0}}}, "stop all CDUs of"),
        (
            {"air": {"unit_feeds": "matched", "handlers": {"equipment": "handler-200kw", "count": 1, "spares": 0}}},
            "stop all air handlers of",
        ),
        (
            {"fabric": {"support_feeds": "matched", "planes": 2, "planes_needed": 2}},
            "fewer network planes than it needs",
        ),
    ],
)
def test_a_feeder_that_takes_cooling_or_network_refuses_the_rows(parts: dict[str, Any], words: str) -> None:
    message = refusal(two_feeder_site(**parts))
    assert "2 rows: the failure of a single " in message
    assert "feeder" in message
    assert words in message
    assert BUSWAY_ONLY in message


def test_a_class_may_allow_it() -> None:
    """The same rows with a class that may drop on a feeder and on a CDU; they still count in every power limit."""
    content = two_feeder_site(liquid=MATCHED_CDUS | {"cdus": {"equipment": "cdu-1mw", "count": 1, "spares": 0}})
    content["availability"][0]["may_drop_on"] = ["busway", "feeder", "cdu"]
    lowered = all_limits(content)
    state = lowered.sites["small"].states[-1]
    assert set(state.dropped_by[f"{L1}/r1"]) >= {"b1/feeder-1", f"{L1}/cdu"}
    assert "b1/feeder-2" not in state.dropped_by[f"{L1}/r1"]
    problem = lowered.problem
    index = next(i for i, one in enumerate(problem.limits) if one.name == "small:power:b1/feeder-2:b1/feeder-1")
    assert problem.limit_ptr[index + 1] - problem.limit_ptr[index] == 2


def test_the_failure_of_a_unit_drops_only_without_spare() -> None:
    """Every bank has a failure of its own; the loss of one leaf of two planes leaves one."""
    state = state_of(two_feeder_site())
    assert {name: kind for name, (kind, _) in state.unit_failures.items()} == {
        f"{L1}/cdu": "cdu",
        f"{L1}/air-handler": "air-handler",
        "b1/plant-1/cooler": "cooler",
        "b1/plant-1/chiller": "chiller",
        "b1/h1/leaf-01/leaf": "leaf",
    }
    assert not any(dropped for _, dropped in state.unit_failures.values())
    content = two_feeder_site(fabric={"planes_needed": 2})
    content["building_templates"]["hall-house"]["plants"][0]["chillers"]["spares"] = 0
    message = refusal(content)
    assert (
        "the failure of a single chiller would leave the row's plant too few chillers, which have no spare" in message
    )
    assert "the failure of a single leaf would leave the row's block fewer network planes than it needs" in message


def test_support_gear_without_power_stops_its_rows() -> None:
    """Network and support gear on one feeder of its own stops with it."""
    content = two_feeder_site(fabric={"support_powered_by": "lonely"})
    house = content["building_templates"]["hall-house"]
    house["power"].append(group("lonely", "feeder", "feeder-6mw", "main-transformer"))
    assert "the failure of a single feeder would" in refusal(content)
    state = state_of(content)
    assert set(state.dropped_by[f"{L1}/r1"]) == {"b1/lonely-1"}


# Maintenance


def maintained(content: dict[str, Any], *kinds: str, may_drop: bool = False) -> dict[str, Any]:
    """A site whose class lists kinds under maintenance."""
    content["availability"][0] |= {"maintenance": list(kinds), "may_drop_in_maintenance": may_drop}
    return content


def test_a_planned_outage_must_drop_nothing() -> None:
    """A busway may fail under the class, but work on it must not stop its row."""
    content = small_site({"kind": "n", "blocks": 2}, n_rows=2)
    content["availability"][0]["may_drop_on"] = [str(kind) for kind in FailureKind]
    assert lower(small_world(content)).problem.n_rows == 4
    message = refusal(maintained(content, "ups", may_drop=True))
    assert "the planned outage of a single ups would drop the row" in message


def test_a_failure_during_an_outage() -> None:
    """2N: the other UPS fails while one is out for work; only a class that says so may drop."""
    message = refusal(maintained(two_feeder_site(), "ups"))
    assert "the failure of a single " in message
    assert "ups during the planned outage of a ups would drop the row" in message
    lowered = lower(small_world(maintained(two_feeder_site(), "ups", may_drop=True)))
    state = lowered.sites["small"].states[-1]
    pair = f"{L1}/ups-1+{L1}/ups-2"
    assert state.kind_of(pair) == "maintenance"
    assert state.dropped_by[f"{L1}/r1"][pair] == "drop the row"
    assert f"{L1}/ups-2+{L1}/ups-1" not in state.pairs
    # The feeder above takes its UPS with it: nothing is new in this pair.
    assert f"{L1}/ups-1+b1/feeder-1" not in state.pairs


def test_what_is_maintained_lies_above_rows_of_the_class() -> None:
    """Feeders carry pumps and rows; a kind that nobody lists is not maintained."""
    state = state_of(maintained(two_feeder_site(), "feeder", "line"))
    assert state.maintained == {"b1/feeder-1", "b1/feeder-2", "line-1", "line-2"}
    assert state_of(two_feeder_site()).maintained == frozenset()


def test_two_feeders_out_take_units_of_both() -> None:
    """Four feeders, a CDU on each, spares 1: any two of them, one in maintenance, leave two CDUs."""
    cdus = {"unit_feeds": "matched", "cdus": {"equipment": "cdu-1mw", "count": 4, "spares": 1}}
    content = maintained(two_feeder_site(liquid=cdus), "feeder", may_drop=True)
    content["building_templates"]["hall-house"]["power"][0]["count"] = 4
    problem = all_limits(content).problem
    named = [one.contingency for one in problem.limits if one.family == "liquid" and one.contingency]
    assert named
    assert all(name.count("+") == 1 for name in named)
    index = next(i for i, one in enumerate(problem.limits) if one.family == "liquid" and one.contingency)
    assert problem.entry_coefficient[problem.limit_ptr[index], 0] == Fraction(114_840, 2) * (1 << SHARE_BITS)

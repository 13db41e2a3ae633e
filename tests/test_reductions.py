"""Nothing is lost by walking cleverly: flows against plain simulation, and reduced limits against all of them."""

from __future__ import annotations

import dataclasses
import itertools
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pytest
from fixtures.small_site import PROVENANCE, group, power_item, small_site
from fixtures.small_world import small_world
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering_cases import Simulator, constants_by_hand, dead_nodes, holds, problem_holds, simulate

from planner.export import highs_optimum
from planner.lower import lower, lowering, site_table
from planner.lower.comparing import implies, undominated
from planner.lower.constants import ConstantFlow
from planner.lower.dominance import drop_implied
from planner.lower.flow import EpochFlow, PowerFlow
from planner.lower.merging import Limit
from planner.lower.pieces import LimitName
from planner.problem import INACTIVE
from planner.verify.draws import draws_of
from planner.verify.fits import Fits
from planner.verify.limits import SiteLimits
from planner.verify.power import PowerCheck
from planner.verify.standing import Standing
from sites.expansion import expand
from sites.schema.failures import FailureKind

if TYPE_CHECKING:
    from lowering_cases import Limit as SimulatedLimit

    from planner.lower.comparing import Contingency
    from planner.lower.pieces import Piece
    from planner.problem import Problem
    from sites.world import World

    Graph = nx.DiGraph[str]

ZERO = Fraction(0)
SCHEMES: list[dict[str, Any]] = [
    {"kind": "n", "blocks": 2},
    {"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"},
    {"kind": "2n"},
    {"kind": "block-redundant", "active": 2, "transfer_switch": "switch-2mw"},
    {"kind": "distributed", "blocks": 3, "make": 2},
    {"kind": "distributed", "blocks": 4, "make": 3},
]


@st.composite
def power_graphs(draw: st.DrawFn) -> tuple[Graph, set[str]]:
    """A small layered power graph with unequal shares, reserves, losses and constants, and some missing elements."""
    graph: Graph = nx.DiGraph()
    graph.add_node("service", kind="service")
    layer: list[str] = ["service"]
    missing: set[str] = set()
    for depth in range(draw(st.integers(1, 3))):
        members = [f"e{depth}-{i}" for i in range(draw(st.integers(1, 3)))]
        for member in members:
            graph.add_node(
                member,
                kind="ups",
                loss_no_load=Fraction(draw(st.integers(0, 3)), 100),
                loss_linear=Fraction(draw(st.integers(0, 5)), 100),
                loss_quadratic=Fraction(draw(st.integers(0, 5)), 100),
                plate_w=Fraction(1000),
                house_load_w=Fraction(draw(st.integers(0, 2)) * 7),
            )
            _feed(draw, graph, layer, member)
            if draw(st.integers(0, 5)) == 0:
                missing.add(member)
        layer = members
    for number in range(draw(st.integers(1, 3))):
        graph.add_node(f"r{number}", kind="row")
        _feed(draw, graph, layer, f"r{number}")
    graph.add_node("m", kind="mechanical", fixed_w=Fraction(11))
    _feed(draw, graph, layer, "m")
    return graph, set(graph) - missing


def _feed(draw: st.DrawFn, graph: Graph, layer: list[str], node: str) -> None:
    sources = draw(st.lists(st.sampled_from(layer), min_size=1, max_size=3, unique=True))
    weights = [draw(st.integers(1, 3)) for _ in sources]
    for source, weight in zip(sources, weights, strict=True):
        graph.add_edge(source, node, share=Fraction(weight, sum(weights)), reserve=False)
    spare = [source for source in layer if source not in sources]
    has_reserve = draw(st.booleans())
    if spare and has_reserve:
        graph.add_edge(spare[0], node, share=ZERO, reserve=True)


@settings(max_examples=80)
@given(power_graphs())
def test_flow_is_that_of_a_plain_simulation(case: tuple[Graph, set[str]]) -> None:
    """Shares and constants of every node under every failure, whatever the wiring."""
    graph, existing = case
    flow = EpochFlow(PowerFlow(graph), existing)
    constants = ConstantFlow(graph, flow)
    assert not (set(flow.elements) & {"service", "r0", "m"})
    for failed in (None, *flow.elements):
        dead = dead_nodes(graph, existing, () if failed is None else (failed,))
        changed = {} if failed is None else flow.after({failed})
        watts = constants.output_w | ({} if failed is None else constants.after(changed).output_w)
        expected = constants_by_hand(graph, dead)
        for node in existing:
            supply = changed.get(node, flow.normal[node])
            assert (supply is None) == (node in dead)
            if supply is not None:
                shares = {element: supply.vector.share(element) for element in supply.vector.terms}
                assert shares == simulate(graph, node, Fraction(1), dead)
            if graph.nodes[node]["kind"] != "mechanical":
                assert watts[node] == expected.get(node, ZERO)


# All limits of a site, from the simulator and the published rule alone.


def _world(scheme: dict[str, Any]) -> World:
    """One lineup under a scheme whose rows may drop on anything, so that no row is refused."""
    content = small_site(scheme, n_rows=4)
    content["availability"][0]["may_drop_on"] = [str(kind) for kind in FailureKind]
    content["building_templates"]["hall-house"]["lineups"][0]["count"] = 1
    content["power"][0]["house_load"] = "3 kW"
    return small_world(content)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: f"{scheme['kind']}-{scheme.get('blocks', '')}")
def test_reduced_power_limits_allow_exactly_the_same(scheme: dict[str, Any]) -> None:
    """Random plans break a kept power limit exactly when they break one of all that exist."""
    world = _world(scheme)
    _same_plans(world, list(Simulator(world).power_limits()), {"power"}, most_racks=15)


def _same_plans(world: World, full: list[SimulatedLimit], families: set[str], most_racks: int) -> Problem:
    """Random plans break one of the problem's limits exactly when they break one of all that exist."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_table, "_pieces", lambda *arguments: _only(families, *_PIECES(*arguments)))
        problem = lower(world).problem
    last = problem.n_periods - 1
    n_broken = 0
    generator = random.Random(7)
    for _ in range(300):
        most = generator.randint(1, most_racks)
        racks = np.array(
            [[generator.randint(0, most) for _ in range(problem.n_configurations)] for _ in range(problem.n_rows)]
        )
        by_row = {name.split(":")[1]: racks[r].tolist() for r, name in enumerate(problem.row_names)}
        allowed = holds(full, by_row)
        assert problem_holds(problem, families, racks, last) == allowed
        n_broken += not allowed
    assert 30 < n_broken < 300
    return problem


def _only(families: set[str], pieces: list[Piece], n_implied: int) -> tuple[list[Piece], int]:
    return [piece for piece in pieces if piece.name.family in families], n_implied


_PIECES = site_table._pieces


def _answering_world(scheme: dict[str, Any], within: str) -> World:
    """One lineup whose units hang on one feeder each, whose rows act, and whose UPS and feeders are maintained."""
    content = small_site(scheme, n_rows=4)
    every = [str(kind) for kind in FailureKind]
    content["availability"][0] |= {
        "may_drop_on": every, "maintenance": ["ups", "feeder"], "may_drop_in_maintenance": True,
    }  # fmt: skip
    content["common_mode"] = [
        {"name": "room", "members": ["b1/h1/l01/ups-1", "b1/h1/l01/unit-substation-2"], "provenance": PROVENANCE}
    ]
    house, lineup = content["building_templates"]["hall-house"], content["lineup_templates"]["standard"]
    house["lineups"][0]["count"] = 1
    house["power"][0] |= {"count": 4, "house_load": "3 kW"}
    for part in (house["plants"][0], lineup["liquid"], lineup["air"]):
        part["unit_feeds"] = "matched"
    lineup["liquid"]["cdus"] |= {"count": 4, "spares": 0}
    lineup["air"]["handlers"]["count"] = 6
    lineup["fabric"] |= {"support_feeds": "matched"}
    lineup["flex"] = {
        "sheddable": "0.2", "cappable": "0.3", "cap_to": "0.5", "within": within, "provenance": PROVENANCE,
    }  # fmt: skip
    eased = {"emergency_rating": "1.1", "short_time_rating": "1.3", "short_time_duration": "10 s"}
    losses = {"no_load": "0.01", "linear": "0.01", "quadratic": "0.02"}
    content["equipment"] = [power_item("ups-eased", "ups", {"real": "1.2 MW"}, losses=losses, **eased)]
    lineup["chain"][1]["equipment"] = "ups-eased"
    return small_world(content)


MAINTAINED = [SCHEMES[2], SCHEMES[4], SCHEMES[5]]


@pytest.mark.parametrize("within", ["5 s", "20 s"])
@pytest.mark.parametrize("scheme", MAINTAINED, ids=lambda scheme: f"{scheme['kind']}-{scheme.get('blocks', '')}")
def test_reduced_limits_allow_the_same_with_every_answer_to_failures(scheme: dict[str, Any], within: str) -> None:
    """Emergency and short-time loads, rows that act, planned outages, groups: power before and after action."""
    world = _answering_world(scheme, within)
    _same_plans(world, list(Simulator(world).power_limits()), {"power"}, most_racks=12)


@pytest.mark.parametrize("scheme", MAINTAINED, ids=lambda scheme: f"{scheme['kind']}-{scheme.get('blocks', '')}")
def test_reduced_heat_limits_allow_exactly_the_same(scheme: dict[str, Any]) -> None:
    """Units that lose their feeder, one by one and two at a time in maintenance."""
    world = _answering_world(scheme, "5 s")
    families = {"liquid", "air", "dry", "chiller"}
    _same_plans(world, list(Simulator(world).heat_limits()), families, most_racks=9)


def _two_lineups_on_three_feeders(feeder: str) -> World:
    """Their catchers hang on feeder 3, and their UPS are maintained.

    With a UPS out for work in one and feeder 2 lost, three of four rows come to feeder 3, two at most after any single
    failure; no pair of the four meets below.
    """
    content = small_site(SCHEMES[3], n_rows=2)
    content["availability"][0] |= {
        "may_drop_on": [str(kind) for kind in FailureKind], "maintenance": ["ups"], "may_drop_in_maintenance": True,
    }  # fmt: skip
    content["equipment"] = [power_item("own-feeder", "feeder", {"real": feeder})]
    content["building_templates"]["hall-house"]["power"][0] |= {"count": 3, "equipment": "own-feeder"}
    return small_world(content)


ADDED = "small:power:b1/feeder-3:b1/h1/l01/ups-1+b1/feeder-2"


def test_pairs_that_touch_nothing_in_common_add_up_above_both() -> None:
    """What neither of two failures does alone, both together do to an element above them."""
    world = _two_lineups_on_three_feeders("2.1 MW")
    problem = _same_plans(world, list(Simulator(world).power_limits()), {"power"}, most_racks=10)
    assert ADDED in {limit.name for limit in problem.limits}


def test_pairs_that_cannot_bind_are_left_out() -> None:
    """Feeder 3 carries four rows at what their busways allow."""
    problem = lower(_two_lineups_on_three_feeders("3 MW")).problem
    assert not [limit.name for limit in problem.limits if "+" in (limit.contingency or "")]


def test_verify_adds_up_what_pairs_do() -> None:
    """The checker finds an overload exactly where some limit of all that exist is broken, those of pairs included."""
    world = _two_lineups_on_three_feeders("1.5 MW")
    full = list(Simulator(world).power_limits())
    graphs = expand(world.sites[0].site, world.catalog)
    limits = SiteLimits(graphs, {}, Fits(graphs, world.portfolio, world.catalog, None))
    names, periods = world.portfolio.configurations, lower(world).problem.periods
    draws = {name: draws_of(name, world.catalog, 0) for name in names}
    generator, added = random.Random(3), 0
    for _ in range(100):
        counts = {row: [0] * len(names) for row in limits.rows}
        for own in counts.values():
            own[generator.randrange(len(names))] = generator.randint(0, 5)
        planned = {
            row: {name: [0] * (len(periods) - 1) + [n_racks] for name, n_racks in zip(names, own, strict=True)}
            for row, own in counts.items()
        }
        check = PowerCheck("small", Standing(limits, periods, draws, planned))
        assert list(check.states())
        found = [one.name for one in check.overloads]
        assert (not found) == holds(full, counts)
        added += bool(found) and all("+" in one for one in found)
    assert added > 3


def test_pairs_are_seldom_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight lineups, two maintained kinds: of 8,672 pairs few reach a comparison, and those few meet few others.

    A site of a gigawatt has a million pairs; what grows with their square is never done.
    """
    content = small_site(SCHEMES[5], n_rows=6)
    content["availability"][0] |= {
        "may_drop_on": [], "maintenance": ["ups", "unit-substation"], "may_drop_in_maintenance": True,
    }  # fmt: skip
    content["building_templates"]["hall-house"]["lineups"][0]["count"] = 8
    content["building_templates"]["hall-house"]["power"][0]["count"] = 4
    made, compared = [0], [0]

    def counted_undominated(contingencies: list[Contingency], *others: Any) -> tuple[Contingency, ...]:
        made[0] += len(contingencies)
        return undominated(contingencies, *others)

    def counted_implies(*arguments: Any) -> bool:
        compared[0] += 1
        return implies(*arguments)

    monkeypatch.setattr("planner.lower.contingencies.undominated", counted_undominated)
    monkeypatch.setattr("planner.lower.comparing.implies", counted_implies)
    [site] = lower(small_world(content)).sites.values()
    n_pairs = sum(1 for _ in site.states[-1].maintenance.pairs())
    assert n_pairs == 8672
    assert 0 < made[0] < n_pairs
    assert 0 < compared[0] < 15 * n_pairs


# Limits that others imply


@pytest.mark.parametrize("scheme", [SCHEMES[2], SCHEMES[5]], ids=["2n", "4N3"])
def test_optimum_survives_the_reduction(scheme: dict[str, Any]) -> None:
    """HiGHS finds the same best value with and without the limits that others imply."""
    world = _world(scheme)
    reduced = lower(world)
    with pytest.MonkeyPatch.context() as patch:
        for part in (lowering, site_table):
            patch.setattr(part, "drop_implied", lambda limits, eligible: [])
        full = lower(world)
    assert reduced.dropped
    assert reduced.problem.n_limits < full.problem.n_limits
    one, other = (_last_period_only(lowered.problem) for lowered in (reduced, full))
    assert highs_optimum(one).objective_cents == highs_optimum(other).objective_cents


def _last_period_only(problem: Problem) -> Problem:
    """The problem of its last period alone, small enough to be solved to the end."""
    cut: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(problem, name)[..., -1:])
        for name in (
            "capacity",
            "period_value",
            "contract_revenue",
            "start_value",
            "open_cost",
            "unit_cost",
            "contract_rate",
        )
    }
    return dataclasses.replace(
        problem, periods=problem.periods[-1:], first_period=np.zeros_like(problem.first_period), **cut
    )


def _limit(name: str, coefficients: dict[int, tuple[int, ...]], capacity: list[int | None]) -> Limit:
    return Limit(LimitName("s", "power", name), "W", capacity, coefficients, frozenset(coefficients))


def test_only_what_another_limit_implies_is_dropped() -> None:
    """Period by period, in proportion to the capacity, over eligible configurations, never across other rows."""
    tight = _limit("tight", {0: (2, 4)}, [8, 8, None, 0])
    loose = _limit("loose", {0: (1, 2)}, [5, 3, 5, 5])
    other_row = _limit("other", {1: (1, 1)}, [100, 100, 100, 100])
    crossed = _limit("crossed", {0: (4, 1)}, [9, 9, 9, 9])
    dropped = drop_implied([tight, loose, other_row, crossed], [[True, True], [True, True]])
    assert loose.capacity == [None, 3, 5, None]
    assert tight.capacity == [8, None, None, 0]
    assert other_row.capacity == [100] * 4
    assert crossed.capacity == [9, 9, 9, None]
    assert {(one.name.split(":")[-1], one.implied_by.split(":")[-1], one.periods) for one in dropped} == {
        ("loose", "tight", (0, 3)), ("tight", "loose", (1,)), ("crossed", "tight", (3,)),
    }  # fmt: skip


def test_empty_limit_implies_only_what_it_forbids() -> None:
    """A capacity of 0 forbids its own configurations and says nothing of the others."""
    empty = _limit("empty", {0: (1, 0)}, [0])
    other = _limit("other", {0: (1, 1)}, [5])
    assert not drop_implied([empty, other], [[True, True]])
    assert drop_implied([empty, other], [[True, False]])
    assert other.capacity == [None]


@given(st.lists(st.tuples(st.tuples(*[st.integers(0, 6)] * 3), st.integers(0, 20)), min_size=2, max_size=5))
def test_implied_limits_cut_no_point(limits: list[tuple[tuple[int, ...], int]]) -> None:
    """All integer points of a box satisfy what is kept exactly when they satisfy everything."""
    made = [_limit(str(i), {0: coefficients}, [capacity]) for i, (coefficients, capacity) in enumerate(limits)]
    drop_implied(made, [[True] * 3])
    kept = [limits[i] for i, limit in enumerate(made) if limit.is_active]
    for point in itertools.product(range(6), repeat=3):
        holds = [
            all(sum(c * n for c, n in zip(cs, point, strict=True)) <= cap for cs, cap in some)
            for some in (kept, limits)
        ]
        assert holds[0] == holds[1]


# Time


def test_bank_that_grows_has_one_window_for_each_size() -> None:
    """Transformers in parallel: 1, then 2, then 3. After a loss the survivors carry all, a half of all, ...

    In the first window nothing survives the loss of the only transformer; its normal load is the limit.
    """
    content = small_site({"kind": "n", "blocks": 1}, n_rows=1)
    content["availability"][0]["may_drop_on"] = ["main-transformer", "feeder", "unit-substation", "ups", "busway"]
    dates = ["2027-Q1", "2027-Q4", "2028-Q1"]
    content["power"][1] = group(
        "main-transformer", "main-transformer", "transformer-12mva", "line", count=3, in_service=dates
    )
    with pytest.MonkeyPatch.context() as patch:
        for part in (lowering, site_table):
            patch.setattr(part, "drop_implied", lambda limits, eligible: [])
        problem = lower(small_world(content)).problem
    first = "small:power:main-transformer-1"
    windows = [
        (
            limit.name,
            np.flatnonzero(problem.capacity[i] != INACTIVE).tolist(),
            int(problem.entry_coefficient[problem.limit_ptr[i], 0]),
        )
        for i, limit in enumerate(problem.limits)
        if limit.name.startswith(first)
    ]
    normal = [(periods, weight) for name, periods, weight in windows if name == first]
    after = [(periods, weight) for name, periods, weight in windows if name != first]
    assert [periods for periods, _ in normal] == [[2]]
    assert [periods for periods, _ in after] == [[3], [4, 5]]
    whole = normal[0][1]
    assert after[0][1] == whole
    assert abs(2 * after[1][1] - whole) <= 2 * 4 * 132_000

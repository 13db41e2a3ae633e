"""Nothing is lost by walking cleverly: flows against plain simulation, and reduced limits against all of them."""

from __future__ import annotations

import dataclasses
import itertools
import random
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pytest
from fixtures.small_site import group, small_site
from fixtures.small_world import small_world
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.export import highs_optimum
from planner.lower import lower, lowering
from planner.lower.constants import ConstantFlow
from planner.lower.dominance import drop_implied
from planner.lower.flow import EpochFlow, PowerFlow
from planner.lower.merging import Limit
from planner.lower.pieces import LimitName
from planner.problem import INACTIVE, SHARE_BITS
from sites.expansion import expand
from sites.schema.catalog import ElementKind

if TYPE_CHECKING:
    from collections.abc import Iterable

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


# A simulator that shares nothing with lowering: it pushes one watt up through the graph, edge by edge.


def dead_nodes(graph: Graph, existing: Iterable[str], failed: str | None) -> set[str]:
    """Nodes without supply: those that fail or do not exist, and all whose every source is dead."""
    dead = set(graph) - set(existing)
    dead |= {failed} if failed is not None else set()
    while True:
        more = {n for n in graph if n not in dead and graph.pred[n] and all(p in dead for p in graph.pred[n])}
        if not more:
            return dead
        dead |= more


def simulate(graph: Graph, load: str, watts: Fraction, dead: set[str]) -> dict[str, Fraction]:
    """Output of every element above for `watts` drawn at a node."""
    output: dict[str, Fraction] = {}

    def draw(node: str, demand: Fraction) -> None:
        live = {p: edge for p, edge in graph.pred[node].items() if p not in dead}
        total = sum((edge["share"] for edge in live.values()), ZERO)
        reserves = [p for p, edge in live.items() if edge["reserve"]]
        for source, edge in live.items():
            part = edge["share"] / total if total else Fraction(int(source in reserves), max(len(reserves), 1))
            if part:
                output[source] = output.get(source, ZERO) + demand * part
                fields = graph.nodes[source]
                draw(source, demand * part * (1 + fields.get("loss_linear", ZERO) + fields.get("loss_quadratic", ZERO)))

    if load not in dead:
        draw(load, watts)
    return output


def constants_by_hand(graph: Graph, dead: set[str]) -> dict[str, Fraction]:
    """Constant output of every element: each constant pushed up on its own."""
    output: dict[str, Fraction] = {}
    for node, fields in graph.nodes(data=True):
        if node in dead:
            continue
        gain = 1 + fields.get("loss_linear", ZERO) + fields.get("loss_quadratic", ZERO)
        house = fields.get("house_load_w", ZERO)
        own = (
            house * gain + fields.get("loss_no_load", ZERO) * fields.get("plate_w", ZERO) + fields.get("fixed_w", ZERO)
        )
        if house:
            output[node] = output.get(node, ZERO) + house
        for element, watts in simulate(graph, node, own, dead).items():
            output[element] = output.get(element, ZERO) + watts
    return output


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
        dead = dead_nodes(graph, existing, failed)
        changed = {} if failed is None else flow.after({failed})
        watts = constants.output_w | ({} if failed is None else constants.after(changed))
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


def full_power_limits(world: World) -> list[tuple[dict[str, list[int]], int]]:
    """Every `power:e` and `power:e:f` of the last epoch: coefficients by row, and capacity."""
    graphs = expand(world.sites[0].site, world.catalog)
    power = graphs.power
    draws = [_electrical(world, name) for name in world.portfolio.configurations]
    elements = [n for n, fields in power.nodes(data=True) if "rating_w" in fields]
    rows = [n for n, fields in power.nodes(data=True) if fields["kind"] == "row"]
    machinery = {n: fields for n, fields in power.nodes(data=True) if fields["kind"] == "mechanical"}
    limits = []
    for failed in (None, *elements):
        dead = dead_nodes(power, power.nodes, failed)
        flows = {n: simulate(power, n, Fraction(1), dead) for n in power if power.out_degree(n) == 0}
        constants = constants_by_hand(power, dead)
        for element in elements:
            if element == failed:
                continue
            found = {}
            for row in rows:
                if row in dead:
                    continue
                shares = _row_shares(graphs, row, element, flows, machinery)
                scaled = [ceil(share * 2**SHARE_BITS) for share in shares]
                found[row] = [sum(s * d for s, d in zip(scaled, draw, strict=True)) for draw in draws]
            rating = int(power.nodes[element]["rating_w"]) << SHARE_BITS
            limits.append((found, rating - ceil(constants.get(element, ZERO) * 2**SHARE_BITS)))
    return limits


def _electrical(world: World, name: str) -> list[int]:
    profile = world.catalog.configuration(name).profile
    it_w = ceil(profile.sustained_max.value or 0)
    liquid = it_w * (profile.liquid_share.value or ZERO)
    return [it_w, ceil(liquid), it_w - int(liquid), ceil(profile.support_power.value or 0)]


def _row_shares(
    graphs: Any, row: str, element: str, flows: dict[str, dict[str, Fraction]], machinery: dict[str, dict[str, Any]]
) -> list[Fraction]:
    """Watts at the element for each watt of IT, liquid heat, air heat and support of a row."""
    above = {
        medium: {header} | nx.ancestors(graphs.cooling, header)
        for header, edge in graphs.cooling.pred[row].items()
        for medium in (edge["medium"],)
    }
    shares = [flows[row].get(element, ZERO), ZERO, ZERO, ZERO]
    for node, fields in machinery.items():
        at_element = flows[node].get(element, ZERO)
        if fields["loop"] in above["liquid"]:
            shares[1] += at_element * fields["watts_per_liquid_watt"]
        if fields["loop"] in above["air"]:
            shares[2] += at_element * fields["watts_per_air_watt"]
    block = graphs.containment.nodes[row]["block_id"]
    shares[3] = flows[f"{block}/support"].get(element, ZERO)
    return shares


def _world(scheme: dict[str, Any]) -> World:
    """One lineup under a scheme whose rows may drop on anything, so that no row is refused."""
    content = small_site(scheme, n_rows=4)
    content["availability"][0]["may_drop_on"] = [str(kind) for kind in ElementKind]
    content["building_templates"]["hall-house"]["lineups"][0]["count"] = 1
    content["power"][0]["house_load"] = "3 kW"
    return small_world(content)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: f"{scheme['kind']}-{scheme.get('blocks', '')}")
def test_reduced_power_limits_allow_exactly_the_same(scheme: dict[str, Any]) -> None:
    """Random plans break a kept power limit exactly when they break one of all that exist."""
    world = _world(scheme)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lowering, "_pieces", _power_pieces_only)
        problem = lower(world).problem
    last = problem.n_periods - 1
    full = full_power_limits(world)
    n_broken = 0
    generator = random.Random(7)
    for _ in range(300):
        most = generator.choice([3, 6, 9, 12, 15])
        racks = np.array(
            [[generator.randint(0, most) for _ in range(problem.n_configurations)] for _ in range(problem.n_rows)]
        )
        by_row = {name.split(":")[1]: racks[r].tolist() for r, name in enumerate(problem.row_names)}
        holds = all(
            sum(sum(c * n for c, n in zip(values, by_row[row], strict=True)) for row, values in found.items())
            <= capacity
            for found, capacity in full
        )
        assert _holds(problem, racks, last) == holds
        n_broken += not holds
    assert 30 < n_broken < 300


def _power_pieces_only(*arguments: Any) -> Any:
    pieces, n_implied = _PIECES(*arguments)
    return [piece for piece in pieces if piece.name.family == "power"], n_implied


_PIECES = lowering._pieces


def _holds(problem: Problem, racks: np.ndarray[Any, Any], period: int) -> bool:
    for index in range(problem.n_limits):
        capacity = int(problem.capacity[index, period])
        if problem.limits[index].family != "power" or capacity == INACTIVE:
            continue
        entries = range(int(problem.limit_ptr[index]), int(problem.limit_ptr[index + 1]))
        load = sum(
            int(c) * int(n)
            for entry in entries
            for c, n in zip(problem.entry_coefficient[entry], racks[problem.entry_row_idx[entry]], strict=True)
        )
        if load > capacity:
            return False
    return True


# Limits that others imply


@pytest.mark.parametrize("scheme", [SCHEMES[2], SCHEMES[5]], ids=["2n", "4N3"])
def test_optimum_survives_the_reduction(scheme: dict[str, Any]) -> None:
    """HiGHS finds the same best value with and without the limits that others imply."""
    world = _world(scheme)
    reduced = lower(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lowering, "drop_implied", lambda limits, eligible: [])
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
        patch.setattr(lowering, "drop_implied", lambda limits, eligible: [])
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

"""Exports for other programs: the graphs as GraphML, and load flows on which power-grid-model gives its opinion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
import yaml

from planner.cli.main import main
from planner.export.condition import quarter_draws, standing_of_run
from planner.export.one_line import GRAPHS, attribute_text, write_graphml
from planner.export.power_case import case_json, power_case
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.verify.flow import WATT_BITS, Flow, RoundedUp
from sites import library
from sites.expansion import expand
from sites.faults import InputError
from sites.library import find
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from planner.export.condition import Condition, QuarterDraws
    from planner.export.power_case import PowerCase

power_grid_model = pytest.importorskip("power_grid_model", reason="install the extra 'test' to ask the peer")
peer_files = pytest.importorskip("power_grid_model.utils")

AGREED = 0.005
"""How far the peer's loads, losses and voltages may lie from ours, in parts of ours."""


@dataclass(frozen=True)
class Peer:
    """What power-grid-model finds for a case, by element or bus."""

    output_w: dict[str, float]
    loss_w: dict[str, float]
    u_pu: dict[str, float]


def ask(case: PowerCase) -> Peer:
    """Let the peer solve a case; UPS inputs follow in a second pass from the outputs that it found itself."""
    from power_grid_model.validation import assert_valid_input_data

    data = peer_files.json_deserialize(json.dumps(case_json(case)))
    assert_valid_input_data(data, symmetric=True)
    model = power_grid_model.PowerGridModel(data)
    sources = case.components["source"]
    ups_input_w: dict[str, float] = {}
    for _ in range(2):
        found = model.calculate_power_flow(symmetric=True, error_tolerance=1e-9)
        supplied = {one["name"]: float(p) for one, p in zip(sources, found["source"]["p"], strict=True)}
        ups_input_w = {name: ups_curve(case.condition, name, p) for name, p in supplied.items() if name != "service"}
        feed_ups(model, case, ups_input_w)
    output_w, loss_w = dict(supplied), {name: watts - supplied[name] for name, watts in ups_input_w.items()}
    for kind in ("transformer", "generic_branch"):
        for one, branch in zip(case.components.get(kind, []), found.get(kind, ()), strict=True):
            output_w[one["name"]] = -float(branch["p_to"])
            loss_w[one["name"]] = float(branch["p_from"] + branch["p_to"])
    for one in case.components["sym_load"]:
        if one["name"].endswith(" constant losses"):
            loss_w[one["name"].removesuffix(" constant losses")] += one["p_specified"]
    buses = zip(case.components["node"], found["node"]["u_pu"], strict=True)
    return Peer(output_w, loss_w, {one["name"]: float(u_pu) for one, u_pu in buses})


def ups_curve(state: Condition, name: str, output_w: float) -> float:
    """Input of a UPS by its published curve."""
    fields = state.graphs.power.nodes[name]
    load = output_w / float(fields["plate_w"])
    no_load, linear, quadratic = (float(fields[f"loss_{part}"]) for part in ("no_load", "linear", "quadratic"))
    return output_w + (no_load + linear * load + quadratic * load**2) * float(fields["plate_w"])


def feed_ups(model: Any, case: PowerCase, input_w: dict[str, float]) -> None:
    """Set what each UPS takes from the bus above it."""
    loads = [(one["id"], input_w[one["name"]]) for one in case.components["sym_load"] if one["name"] in input_w]
    update = power_grid_model.initialize_array("update", "sym_load", len(loads))
    if loads:
        update["id"], update["p_specified"] = zip(*loads, strict=True)
        model.update(update_data={"sym_load": update})


@dataclass(frozen=True)
class Difference:
    """Largest differences between the peer and us, in parts of ours; losses of all elements together."""

    load: float
    loss: float
    voltage: float

    def largest(self) -> float:
        return max(self.load, self.loss, self.voltage)


def compare(case: PowerCase) -> Difference:
    """Loads of every element that carries a thousandth of its plate, all losses together, voltages of every bus."""
    flow, peer = case.voltages, ask(case)
    index, plate_w = case.condition.network.index, case.condition.network.plate_w
    ours = {name: flow.output_w[index[name]] for name in peer.output_w}
    loads = [
        abs(peer.output_w[name] / watts - 1)
        for name, watts in ours.items()
        if watts > max(1.0, float(plate_w[index[name]]) / 1000)
    ]
    our_loss_w = sum(flow.input_w[index[name]] - flow.output_w[index[name]] for name in peer.loss_w)
    volts = [abs(peer.u_pu[one["name"]] / one["our_u_pu"] - 1) for one in case.components["node"]]
    loss = abs(sum(peer.loss_w.values()) / our_loss_w - 1) if our_loss_w else 0.0
    return Difference(max(loads, default=0.0), loss, max(volts))


def fullest(case: PowerCase) -> float:
    """The highest load over rating of any element as the peer sees it."""
    network = case.condition.network
    ratings = {name: network.rating_w[network.index[name]] for name in network.names}
    return max(watts / rating for name, watts in ask(case).output_w.items() if (rating := ratings[name]))


def most_amperes(case: PowerCase, peer: Peer) -> float:
    """The highest current over that of its rating, of any element."""
    network, buses = case.condition.network, case.voltages
    found = []
    for name, watts in peer.output_w.items():
        rating_w = network.rating_w[network.index[name]]
        if rating_w:
            found.append(watts / rating_w / peer.u_pu[network.names[buses.bus_of(network.index[name])]])
    return max(found)


@dataclass(frozen=True)
class Booked:
    """What planning books for a state: losses by the secant at the plate, by element, in W."""

    output_w: dict[str, float]
    loss_w: dict[str, float]


def booked(state: Condition) -> Booked:
    network = state.network
    steps = {
        node: [ceil(Fraction(watts) * 2**WATT_BITS)] for node, watts in state.output_w.items() if state.is_load(node)
    }
    flow = Flow(network, state.wiring, steps, RoundedUp(network), 1)
    output_w = {network.names[node]: value / 2**WATT_BITS for node, [value] in flow.output.items()}
    input_w = {
        network.names[node]: flow.arithmetic.input_of(node, value)[0] / 2**WATT_BITS
        for node, value in flow.output.items()
    }
    return Booked(output_w, {name: input_w[name] - watts for name, watts in output_w.items()})


def lost_by_kind(state: Condition, loss_w: dict[str, float], names: dict[str, float]) -> dict[str, float]:
    """Losses by kind of element."""
    kinds: dict[str, float] = {}
    for name in names:
        kind = state.network.kinds[state.network.index[name]]
        kinds[kind] = kinds.get(kind, 0.0) + loss_w[name]
    return kinds


LOSSES = {
    "transformer": ("0.00045", "0", "0.0032"),
    "ups": ("0.006", "0.012", "0.016"),
    "switch": ("0", "0.006", "0"),
    "bus": ("0", "0", "0.0075"),
    "busway": ("0", "0", "0.0075"),
    "aux-board": ("0", "0", "0.001"),
}
"""No-load, linear and quadratic losses that a toy's equipment gets here; toys themselves lose nothing but one thing."""
PLATES = {"transformer": 1300, "ups": 1000, "switch": 1300, "bus": 2500, "busway": 800, "aux-board": 1000}
"""And its plates in kW, so that every element works at a good part of its plate."""


def lossy_toy(name: str, folder: Path) -> Path:
    """A toy whose equipment has the losses and the load of real equipment."""
    source = find(name)
    assert source is not None
    site = yaml.safe_load((source.parent / "site.yaml").read_text(encoding="utf-8"))
    for equipment in site["equipment"]:
        values = LOSSES[equipment["name"]]
        equipment["real"]["value"] = f"{PLATES[equipment['name']]} kW"
        equipment["losses"] = {
            part: {"value": float(value), "source": "round figures", "status": "assumption"}
            for part, value in zip(("no_load", "linear", "quadratic"), values, strict=True)
        }
    (folder / "site.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")
    portfolio = folder / "portfolio.yaml"
    portfolio.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    return portfolio


def plan(file: str | Path, out: Path, work_limit: int) -> dict[str, QuarterDraws]:
    """Plan a file; what the loads of each site draw in the last quarter."""
    create_run(load_world(str(file)), RunRequest(out, SolveOptions(work_limit=work_limit)), lambda _: None)
    return {name: quarter_draws(one, one.periods[-1]) for name, one in standing_of_run(out).items()}


SCHEMES = ("2n", "block-redundant", "n-plus-1-bus", "distributed-4n3")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_peer_agrees_on_a_toy_in_every_state(scheme: str, tmp_path: Path) -> None:
    [draws] = plan(lossy_toy(f"toy-scheme-{scheme}", tmp_path), tmp_path / "run", 200).values()
    assert fullest(power_case(draws.condition())) > 0.4
    for failure in (None, *draws.failures()):
        state = draws.condition(failure)
        found = compare(power_case(state))
        assert found.largest() < AGREED, f"after {failure}: {found}"


@pytest.fixture(scope="module")
def campus_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quick plan of the reference campus."""
    out = tmp_path_factory.mktemp("campus") / "run"
    create_run(load_world("reference-1gw"), RunRequest(out, SolveOptions(work_limit=20)), lambda _: None)
    return out


@pytest.fixture(scope="module")
def campus(campus_run: Path) -> QuarterDraws:
    standing = standing_of_run(campus_run)["reference-1gw"]
    return quarter_draws(standing, standing.periods[-1])


def test_peer_agrees_on_a_building_of_the_reference_campus(campus: QuarterDraws) -> None:
    base = campus.condition()
    in_building = [base.network.names[node] for node in base.elements() if base.network.names[node].startswith("b1/")]
    of_kind = {campus.standing.limits.graphs.power.nodes[name]["kind"]: name for name in in_building}
    above = [name for name in campus.failures() if "/" not in name]
    for failure in (None, *of_kind.values(), above[0], above[-1]):
        found = compare(power_case(campus.condition(failure), "b1"))
        assert found.largest() < AGREED, f"after {failure}: {found}"
    assert len(of_kind) >= 5


def test_peer_agrees_on_the_whole_reference_campus(campus: QuarterDraws) -> None:
    case = power_case(campus.condition())
    assert compare(case).largest() < AGREED
    assert len(case.components["node"]) > 1000


def test_no_element_is_overloaded_as_the_peer_sees_it(campus: QuarterDraws) -> None:
    for failure in (None, "b1/feeder-1", "b1/h1/l01/ups-1"):
        assert 0.5 < fullest(power_case(campus.condition(failure))) <= 1 + 1e-6


CAMPUSES = tuple(name for name in library.site_names() if not name.startswith("toy-"))
"""Every site of the library that is no toy."""


FULL_HALLS = ("fairwater-atlanta", "fairwater-wisconsin")
"""Campuses without UPS, whose halls fill when nobody else draws on the racks."""


def one_building_of_each_kind(folder: Path, names: Sequence[str] = CAMPUSES) -> Path:
    """A portfolio of campuses of the library, each with the first building of each of its templates."""
    template = library.default_portfolio().read_text(encoding="utf-8")
    portfolio = yaml.safe_load(template.replace("site-to-plan", "every-kind"))
    [entry] = portfolio["sites"]
    portfolio["sites"] = []
    for name in names:
        source = library.find_site(name)
        assert source is not None
        site = yaml.safe_load(source.read_text(encoding="utf-8"))
        site["buildings"] = list({one["template"]: one for one in reversed(site["buildings"])}.values())
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")
        portfolio["sites"].append({**entry, "site": f"./{name}.yaml"})
    (folder / "portfolio.yaml").write_text(yaml.safe_dump(portfolio), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def library_draws(tmp_path_factory: pytest.TempPathFactory) -> dict[str, QuarterDraws]:
    """What the loads of every kind of building in the library draw, planned or standing already."""
    folder = tmp_path_factory.mktemp("library")
    return plan(one_building_of_each_kind(folder), folder / "run", 20)


@pytest.fixture(scope="module")
def full_draws(tmp_path_factory: pytest.TempPathFactory) -> dict[str, QuarterDraws]:
    """What the loads of full halls without UPS draw."""
    folder = tmp_path_factory.mktemp("full")
    return plan(one_building_of_each_kind(folder, FULL_HALLS), folder / "run", 20)


def failures_of_each_kind(draws: QuarterDraws, building: str) -> list[str]:
    """The last element of each kind in a building and above it, and every common-mode group."""
    state = draws.condition()
    live = {state.network.names[node]: state.network.kinds[node] for node in state.elements()}
    found = {
        ("/" in name, kind): name for name, kind in live.items() if "/" not in name or name.startswith(f"{building}/")
    }
    return [*found.values(), *(name for name in draws.failures() if name not in live)]


def states_of(draws: QuarterDraws) -> Iterator[tuple[str, str | None, PowerCase]]:
    """Every building that draws power, in normal operation and after a failure of each kind of element."""
    state = draws.condition()
    buildings = {state.network.names[node].split("/")[0] for node in state.output_w if state.is_load(node)}
    for building in sorted(buildings):
        for failure in (None, *failures_of_each_kind(draws, building)):
            yield building, failure, power_case(draws.condition(failure), building)


@pytest.mark.slow
@pytest.mark.parametrize("site", CAMPUSES)
def test_peer_agrees_on_every_kind_of_building_of_the_library(
    site: str, library_draws: dict[str, QuarterDraws]
) -> None:
    found = [(building, failure, compare(case)) for building, failure, case in states_of(library_draws[site])]
    worst = max(found, key=lambda one: one[2].largest())
    assert len(found) > 6
    assert worst[2].largest() < AGREED, f"{worst[0]} after {worst[1]}: {worst[2]}"


BOOKED_SHORT = 0.0002
"""How far a load may lie above its booking: busways full to their plate see less than rated voltage."""
BUSWAYS_SHORT = 0.005
"""And how far the losses of all busways of a case together may lie above theirs."""


@pytest.mark.slow
@pytest.mark.parametrize("site", CAMPUSES)
def test_planning_books_no_less_than_the_peer_loses(site: str, library_draws: dict[str, QuarterDraws]) -> None:
    for building, failure, case in states_of(library_draws[site]):
        peer, books, where = ask(case), booked(case.condition), f"{building} after {failure}"
        lost, allowed = (lost_by_kind(case.condition, one.loss_w, peer.loss_w) for one in (peer, books))
        assert sum(lost.values()) < sum(allowed.values()), where
        for kind, watts in lost.items():
            assert watts <= allowed[kind] * (1 + (BUSWAYS_SHORT if kind == "busway" else 1e-9)) + 1, f"{where}: {kind}"
        for name, watts in peer.output_w.items():
            assert watts <= books.output_w[name] * (1 + BOOKED_SHORT) + 1, f"{where}: {name}"


@pytest.mark.parametrize("site", FULL_HALLS)
def test_one_tap_up_every_element_loses_less_than_booked(site: str, full_draws: dict[str, QuarterDraws]) -> None:
    """The halls without UPS with their unit substations at the usual tap of 2.5 %: nothing is above its booking."""
    case = power_case(full_draws[site].condition())
    network, books = case.condition.network, booked(case.condition)
    before = ask(case)
    for one in case.components["transformer"]:
        if network.kinds[network.index[one["name"]]] == "unit-substation":
            one["u1"] *= 0.975
    after = ask(case)
    assert most_amperes(case, before) < 1.005
    assert most_amperes(case, after) < most_amperes(case, before) - 0.015
    assert not [name for name, watts in after.loss_w.items() if watts > books.loss_w[name] + 1]
    assert not [name for name, watts in after.output_w.items() if watts > books.output_w[name] * (1 + 1e-9) + 1]


def test_losses_follow_the_voltage(full_draws: dict[str, QuarterDraws]) -> None:
    """Without UPS the voltages matter: at rated voltage the losses would lie more than a per cent lower."""
    case = power_case(full_draws["fairwater-atlanta"].condition())
    state, flow = case.condition, case.voltages
    at_rated_w = sum(state.input_w[node] - state.output_w[node] for node in state.elements())
    found_w = sum(flow.input_w[node] - flow.output_w[node] for node in state.elements())
    assert 1.01 < found_w / at_rated_w < 1.05
    assert 0.97 < min(flow.per_unit.values()) < 0.99


def test_a_chain_that_no_voltage_carries_is_refused(tmp_path: Path) -> None:
    file = lossy_toy("toy-scheme-2n", tmp_path)
    site = yaml.safe_load((tmp_path / "site.yaml").read_text(encoding="utf-8"))
    for equipment in site["equipment"]:
        if equipment["name"] == "transformer":
            equipment["losses"]["quadratic"]["value"] = 0.99
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")
    [draws] = plan(file, tmp_path / "run", 200).values()
    with pytest.raises(InputError, match=r"no voltage in .* carries .* kW through .*check the quadratic losses"):
        power_case(draws.condition())


def test_peer_notices_another_resistance(campus: QuarterDraws) -> None:
    case = power_case(campus.condition(), "b1")
    for branch in case.components["transformer"]:
        branch["pk"] *= 1.2
        branch["uk"] = branch["pk"] / branch["sn"]
    assert compare(case).loss > AGREED


def test_failed_elements_are_gone_and_their_load_is_elsewhere(campus: QuarterDraws) -> None:
    base, after = power_case(campus.condition(), "b1"), power_case(campus.condition("b1/feeder-1"), "b1")
    names = {one["name"] for one in after.components["generic_branch"]}
    assert "b1/feeder-1" in {one["name"] for one in base.components["generic_branch"]}
    assert "b1/feeder-1" not in names
    peer_before, peer_after = ask(base), ask(after)
    assert peer_after.output_w["b1/feeder-2"] > 1.1 * peer_before.output_w["b1/feeder-2"]
    assert peer_after.output_w["service"] == pytest.approx(peer_before.output_w["service"], rel=0.02)


def test_a_failure_during_work_takes_both_out(tmp_path: Path) -> None:
    """Three transformers of which one is out for work and another lost: the third carries all seven racks."""
    [draws] = plan("toy-maintenance-pair", tmp_path / "run", 50).values()
    case = power_case(draws.condition("main-1+main-2"))
    peer = ask(case)
    assert {"main-1", "main-2"}.isdisjoint(peer.output_w)
    assert peer.output_w["main-3"] == pytest.approx(7 * 132_000, rel=1e-4)
    for name in ("main-2+main-1", "main-1+main-1", "main-1+main-9", "b1/h1/l01/r1"):
        with pytest.raises(InputError, match="unknown failure"):
            draws.condition(name)


def test_flex_rows_have_acted_in_the_case_of_a_failure(tmp_path: Path) -> None:
    [draws] = plan("toy-flex-after", tmp_path / "run", 50).values()
    before, after = draws.condition(), draws.condition(next(name for name in draws.failures() if "main" in name))
    row = next(node for node in before.output_w if before.network.kinds[node] == "row")
    share = before.graphs.containment.nodes[before.network.names[row]]["flex_share"]
    assert share < 1
    assert after.output_w[row] == pytest.approx(before.output_w[row] * float(share))
    assert compare(power_case(after)).largest() < AGREED


def test_split_loads_are_the_whole_load(campus: QuarterDraws) -> None:
    case = power_case(campus.condition(), "b1")
    row = next(node for node in case.condition.output_w if case.condition.network.names[node] == "b1/h1/l01/r1")
    parts = [one["p_specified"] for one in case.components["sym_load"] if one["name"] == "b1/h1/l01/r1"]
    assert len(parts) == 2
    assert sum(parts) == pytest.approx(case.condition.output_w[row])
    assert {one["u_rated"] for one in case.components["node"] if "/ups-" in one["name"]} == {415.0}


def test_wrong_names_are_refused(campus: QuarterDraws) -> None:
    with pytest.raises(InputError, match="did you mean 'b1/feeder-1'"):
        campus.condition("b1/feedr-1")
    with pytest.raises(InputError, match="unknown building"):
        power_case(campus.condition(), "b9")
    with pytest.raises(InputError, match="unknown decision quarter"):
        quarter_draws(campus.standing, "1999-Q1")
    with pytest.raises(InputError, match=r"b5: .*nothing of it draws power in 2027-Q1"):
        power_case(quarter_draws(campus.standing, "2027-Q1").condition(), "b5")


def test_command_writes_a_case_that_the_peer_reads(campus_run: Path, tmp_path: Path) -> None:
    target = tmp_path / "case.json"
    arguments = ["export", "reference-1gw", "--power-grid-model", str(target), "--run", str(campus_run)]
    assert end_of([*arguments, "--building", "b1", "--failure", "b1/feeder-1", "--quarter", "2028-Q1"]) == 0
    found = power_grid_model.PowerGridModel(peer_files.json_deserialize_from_file(target)).calculate_power_flow()
    assert len(found["node"]) == len(json.loads(target.read_text(encoding="utf-8"))["data"]["node"])
    assert [one.name for one in tmp_path.iterdir()] == ["case.json"]


DRAWN = (
    "toy-scheme-block-redundant",
    "toy-swing-smoothing",
    "toy-flex-support",
    "toy-conversion-floor",
    "toy-generation",
)
"""Toys with attributes that the reference campus has not."""


def end_of(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "nothing to write"),
        (["--graphml", "x.graphml", "--failure", "ups-1"], "--failure says of which state"),
        (["--power-grid-model", "x.json"], "needs --run"),
        (["--mps", "x.mps", "--site", "toy-position"], "all sites together"),
        (["--graphml", "x.graphml", "--site", "toy-positon"], "did you mean 'toy-position'"),
    ],
)
def test_command_refuses_what_has_no_meaning(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert end_of(["export", "toy-position", *options]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_command_refuses_a_run_of_other_files(
    campus_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "case.json"
    assert end_of(["export", "toy-position", "--power-grid-model", str(target), "--run", str(campus_run)]) == 2
    assert "other input files" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize("name", [*DRAWN, "reference-1gw"])
def test_graphml_holds_every_node_edge_and_attribute(name: str, tmp_path: Path) -> None:
    world = load_world(name)
    graphs = expand(world.sites[0].site, world.catalog)
    target = tmp_path / "site.graphml"
    write_graphml(graphs, target)
    read = nx.read_graphml(target)
    ours = [getattr(graphs, graph) for graph in GRAPHS]
    assert set(read.nodes) == {node for graph in ours for node in graph}
    assert set(read.edges) == {edge for graph in ours for edge in graph.edges}
    for name_of_graph, graph in zip(GRAPHS, ours, strict=True):
        for node, fields in graph.nodes(data=True):
            assert name_of_graph in read.nodes[node]["graphs"].split(" / ")
            for attribute, value in fields.items():
                assert attribute_text(attribute, value) in read.nodes[node][attribute].split(" / ")
        for source, load, fields in graph.edges(data=True):
            assert set(read.edges[source, load]) == {"graph", *fields}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("rating_w", Fraction(2_821_000), "2821000 W"),
        ("supply_degc", Fraction(-49, 2), "-24.5 degC"),
        ("loss_quadratic", Fraction(2, 625), "0.0032"),
        ("watts_per_air_watt", Fraction(1, 3), "1/3 W/W"),
        ("flow_ml_per_min", 3_050_000, "3050000 mL/min"),
        ("approach_k", Fraction(1, 8), "0.125 K"),
        ("capacity_steps", (("2027-Q1", Fraction(5)), ("2028-Q1", Fraction(6))), "2027-Q1 5 W, 2028-Q1 6 W"),
        ("ports_by_kind", {"ndr-400g": 4096}, "ndr-400g: 4096 ports"),
        ("guarantee_w", None, "none"),
        ("reserve", False, "false"),
    ],
)
def test_attributes_are_exact_text_with_units(name: str, value: object, text: str) -> None:
    assert attribute_text(name, value) == text


def test_numbers_without_a_unit_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown unit"):
        attribute_text("girth", 3)

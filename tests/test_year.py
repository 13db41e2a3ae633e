"""The hourly year: hand-worked hours, published curves, both backends, energy balance, PUE of library sites, speed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from run_cases import make_run
from year_cases import air, filled, library_world

from kernels.hourly import (
    AIR_FANS_WH,
    COMPRESSORS_WH,
    COOLER_FANS_WH,
    COOLER_HEAT_WH,
    FACILITY_WH,
    FIXED_WH,
    HEAT_WH,
    IT_WH,
    LOSSES_WH,
    NO_COMPRESSOR,
    OVER_RATING,
    PUMPS_WH,
    SUPPORT_WH,
    TOLERANCE,
    TRIM,
)
from kernels.loops.cooling_hour import (
    fan_share,
    pump_share,
)
from kernels.loops.hourly import loss_w
from kernels.samples.years import hand_model
from planner.cli.main import main
from planner.year.classes import existing
from planner.year.document import hour_name
from planner.year.heat import heat_map, row_loads
from planner.year.plants import site_plants
from planner.year.scenarios import Scenario, scenarios
from planner.year.simulate import AirYears, simulate
from planner.year.year import YearRequest, year_of_run
from sites.expansion import expand
from sites.faults import InputError
from sites.weather.stations import STATIONS, bundled_year

if TYPE_CHECKING:
    from pathlib import Path

    from kernels.hourly import YearResult

BASE = (Scenario(0.0, 1.0),)


def hours(*dry_bulb_degc: float) -> AirYears:
    return air(dry_bulb_degc)


# --- Hand-worked hours ------------------------------------------------------------------------------------------------


def test_a_cool_hour_by_hand() -> None:
    """20 degC: coolers carry all of 800 kW; approach 10·0.8^0.7 = 8.554 K, air flow (8.554 + 5)/(20 + 5) = 0.5422."""
    energy = simulate(hand_model(), hours(20.0), BASE, "reference").energy_wh[0, :, 0]
    assert energy[HEAT_WH] == energy[COOLER_HEAT_WH] == 800e3
    assert energy[COMPRESSORS_WH] == 0
    assert energy[COOLER_FANS_WH] == pytest.approx(20e3 * 0.542155**3, rel=1e-5)
    # Technology pumps at full flow, plant pumps at 0.8 of it: 10 kW · 0.8 · (0.3 + 0.7 · 0.64).
    assert energy[PUMPS_WH] == pytest.approx(8e3 + 5984)
    assert energy[AIR_FANS_WH] == pytest.approx(4e3 * 0.5**3)
    assert (energy[IT_WH], energy[SUPPORT_WH], energy[FIXED_WH]) == (800e3, 50e3, 1e3)
    output_w = 800e3 + 50e3 + 8e3 + 5984 + 500 + 1e3 + 20e3 * 0.542155**3
    assert energy[LOSSES_WH] == pytest.approx(1e6 * (0.001 + 0.01 * (output_w / 1e6) ** 2), rel=1e-6)
    assert energy[FACILITY_WH] == pytest.approx(output_w + energy[LOSSES_WH], rel=1e-6)


def test_a_warm_hour_by_hand() -> None:
    """35 degC: at full fan water leaves at 43.554, so coolers carry 0.6446; the lift of 11 K is held at 15, COP 8.27.

    At the rated approach they carry half: 14.0 kW of compressors are saved by 12 kW of fans.
    """
    result = simulate(hand_model(efficiency=0.4), hours(35.0), BASE, "reference")
    energy = result.energy_wh[0, :, 0]
    assert energy[COOLER_HEAT_WH] == pytest.approx(800e3 * (50 - 35 - 8.55388) / 10, rel=1e-5)
    assert energy[COOLER_FANS_WH] == 20e3
    assert energy[COMPRESSORS_WH] == pytest.approx(800e3 * 0.355388 / (0.4 * 310.15 / 15), rel=1e-5)
    assert result.hours[0, [NO_COMPRESSOR, TRIM, OVER_RATING], 0].tolist() == [0, 1, 0]


def test_a_warm_hour_of_good_chillers_by_hand() -> None:
    """With COP 10.34 the 12 kW of fans save 11.2 kW only: 0.4 of the coolers carry half of the heat at 45 degC."""
    energy = simulate(hand_model(), hours(35.0), BASE, "reference").energy_wh[0, :, 0]
    assert energy[COOLER_HEAT_WH] == pytest.approx(400e3)
    assert energy[COOLER_FANS_WH] == pytest.approx(8e3)
    assert energy[COMPRESSORS_WH] == pytest.approx(400e3 / (0.5 * 310.15 / 15))


def test_a_hot_hour_by_hand() -> None:
    """45 degC: coolers stand still, chillers carry 800 kW of just as much at COP 0.5 · 310.15 / 21."""
    result = simulate(hand_model(), hours(45.0), BASE, "reference")
    energy = result.energy_wh[0, :, 0]
    assert energy[COOLER_FANS_WH] == energy[COOLER_HEAT_WH] == 0
    assert energy[COMPRESSORS_WH] == pytest.approx(800e3 * 21 / (0.5 * 310.15))
    # The transformer is rated 920 kW and carries 800 + 50 + 8 + 0.5 + 1 + 5.98 + 108.3 kW.
    assert result.class_over_hours[:, 0].tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert result.plant_over_hours[0, 0] == 0
    assert result.hours[0, OVER_RATING, 0] == 1


def test_hours_add_up_and_the_peak_is_found() -> None:
    result = simulate(hand_model(), hours(20.0, 45.0, 46.0, 35.0), BASE, "reference")
    assert result.hours[0, [NO_COMPRESSOR, TRIM, OVER_RATING], 0].tolist() == [1, 3, 2]
    # At 46 degC the chillers are good for 0.78 MW of 0.8.
    assert result.plant_over_hours[0, 0] == 1
    assert result.peak_hour[:, 0].tolist() == [2, 2]
    parts = [simulate(hand_model(), hours(t), BASE, "reference") for t in (20.0, 45.0, 46.0, 35.0)]
    np.testing.assert_allclose(result.energy_wh, sum(part.energy_wh for part in parts))
    assert result.peak_w[0, 0] == max(part.peak_w[0, 0] for part in parts)


def test_scenarios_shift_temperature_and_load() -> None:
    shifted = simulate(hand_model(), hours(20.0), [Scenario(15.0, 1.0)], "reference")
    np.testing.assert_array_equal(shifted.energy_wh, simulate(hand_model(), hours(35.0), BASE, "reference").energy_wh)
    most = simulate(hand_model(), hours(20.0), [Scenario(0.0, 1.25), Scenario(0.0, 9.0)], "reference").energy_wh
    assert most[0, IT_WH].tolist() == [1e6, 1e6]


def test_a_plant_without_chillers_says_what_it_cannot_remove() -> None:
    model = hand_model(chiller_rated_w=0.0)
    result = simulate(model, hours(31.0, 35.0), BASE, "reference")
    assert result.energy_wh[0, COMPRESSORS_WH, 0] == 0
    assert result.plant_over_hours[0, 0] == 1


# --- Backends, threads and classes ------------------------------------------------------------------------------------


def assert_same(ours: YearResult, theirs: YearResult) -> None:
    for name, one, other in zip(ours._fields, ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=TOLERANCE, atol=1e-6, err_msg=name)


def champaign(first: int = 0, last: int = 8760) -> AirYears:
    year = bundled_year(STATIONS[1])
    return AirYears(year.dry_bulb_degc[None, first:last].copy(), year.wet_bulb_degc[None, first:last].copy())


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("site", ["reference-1gw", "fairwater-wisconsin", "new-carlisle"])
def test_backends_agree_with_the_reference(backend: str, site: str) -> None:
    model = filled(site)[0].model
    drawn = [*scenarios(3, seed=7, load_spread=0.3), Scenario(12.0, 1.1)]
    some = champaign(4000, 4072)
    assert_same(simulate(model, some, drawn, backend), simulate(model, some, drawn, "reference"))


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cooler_rated_w": 0.0},
        {"cooler_rated_w": 4e5},
        {"chiller_rated_w": 0.0},
        {"cooler_approach_k": 0.0},
        {"heat_w": 0.0},
    ],
    ids=str,
)
def test_backends_agree_on_every_kind_of_plant(backend: str, changes: dict[str, float]) -> None:
    drawn, some = scenarios(5, seed=3, load_spread=0.5), air(np.linspace(-30, 55, 171))
    model = hand_model(**changes)
    assert_same(simulate(model, some, drawn, backend), simulate(model, some, drawn, "reference"))


def test_the_result_does_not_depend_on_threads() -> None:
    model, drawn, some = filled("reference-1gw")[0].model, scenarios(5, seed=2), champaign(0, 200)
    for one, other in zip(simulate(model, some, drawn), simulate(model, some, drawn, n_threads=3), strict=True):
        np.testing.assert_array_equal(one, other)


def test_scenarios_repeat_by_seed_and_begin_with_the_base() -> None:
    assert scenarios(40, seed=5) == scenarios(40, seed=5)
    assert scenarios(40, seed=5)[:3] == scenarios(3, seed=5)
    assert scenarios(40, seed=5) != scenarios(40, seed=6)
    assert scenarios(1, seed=5) == BASE
    assert max(abs(one.temperature_offset_k) for one in scenarios(400, seed=5)) <= 2
    assert max(abs(one.load_factor - 1) for one in scenarios(400, seed=5)) <= 0.05


def test_classes_carry_what_the_nodes_one_by_one_carry() -> None:
    """The meter of a 1 GW campus at one hour, walked up node by node without classes."""
    air_degc = 30.0
    plan, document = filled("reference-1gw")
    model, world = plan.model, library_world("reference-1gw")
    [one] = world.sites
    graphs = expand(one.site, world.catalog)
    loads = row_loads(graphs, document["placements"], world.catalog, world.portfolio.money.workload)
    heats, alive = heat_map(graphs.cooling, loads), existing(graphs, document["quarter"])
    plants = site_plants(one.site, world.catalog, heats)
    power, known = graphs.power, dict[str, float]()

    def machinery_w(plant: str) -> float:
        figures = plants[plant]
        alone = hand_model(**figures.figures())
        alone = alone._replace(recirculation_k=model.recirculation_k)
        energy = simulate(alone, hours(air_degc), BASE, "reference").energy_wh[0, :, 0]
        return float(energy[PUMPS_WH] - 8e3 + energy[COOLER_FANS_WH] + energy[COMPRESSORS_WH])

    def load_w(node: str) -> float:
        fields = power.nodes[node]
        if fields["kind"] == "row":
            return float(loads[node].it_w) if node in loads else 0.0
        if fields["kind"] == "support":
            rows = graphs.containment.nodes
            return float(sum(x.support_w for row, x in loads.items() if rows[row]["block_id"] == fields["block_id"]))
        if graphs.cooling.nodes[fields["loop"]]["kind"] == "plant":
            return float(fields["fixed_w"]) + machinery_w(fields["loop"])
        header = graphs.cooling.nodes[fields["loop"]]
        heat, per_watt = heats.headers[fields["loop"]], float(header["watts_per_heat_watt"])
        design_w = float(heat.most_w + heat.fixed_w)
        flow = float(heat.average_w + heat.fixed_w) / design_w if design_w else 0.0
        law = pump_share if header["kind"] == "liquid-header" else fan_share
        return per_watt * design_w * float(law(flow))

    def input_w(node: str) -> float:
        if node not in known:
            fields = power.nodes[node]
            if fields["kind"] in {"row", "support", "mechanical"}:
                known[node] = load_w(node)
                return known[node]
            output = float(fields.get("house_load_w", 0))
            for load in power.adj[node]:
                if load in alive:
                    total = sum(edge["share"] for source, edge in power.pred[load].items() if source in alive)
                    output += float(power.edges[node, load]["share"] / total) * input_w(load)
            lost = (
                0.0
                if node == "service"
                else loss_w(
                    output,
                    *(float(fields[k]) for k in ("plate_w", "loss_no_load", "loss_linear", "loss_quadratic")),
                )
            )
            known[node] = output + lost
        return known[node]

    result = simulate(model, hours(air_degc), BASE)
    assert len(model.kind) < 100 < len(alive)
    assert result.peak_w[0, 0] == pytest.approx(input_w("service"), rel=1e-9)


def test_energies_add_up_to_the_meter() -> None:
    energy = simulate(filled("reference-1gw")[0].model, champaign(0, 500), scenarios(3, seed=1)).energy_wh[0]
    used = [IT_WH, SUPPORT_WH, PUMPS_WH, AIR_FANS_WH, COOLER_FANS_WH, COMPRESSORS_WH, FIXED_WH, LOSSES_WH]
    np.testing.assert_allclose(energy[used].sum(axis=0), energy[FACILITY_WH], rtol=1e-9)


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("year") / "toy"
    make_run("toy-plant-power", folder)
    return folder


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("weather") / "mild.csv"
    file.write_text("\n".join(["dry_bulb_degc,wet_bulb_degc", *["20,15"] * 8760]), encoding="utf-8")
    return str(file)


def test_the_command_prints_the_document(run: Path, weather: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["year", str(run), "--weather", weather, "--scenarios", "3", "--json"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == "gigaplan-year/1"
    assert len(found["scenarios"]) == 3
    [site] = found["sites"]
    assert site["pue"]["lowest"] <= site["pue"]["base"] <= site["pue"]["highest"]
    assert site["pue"]["base"] > 1
    assert site["water_litres"] == {"makeup": 0, "evaporated": 0, "bleed": 0}
    energy = site["energy_mwh"]
    assert sum(energy.values()) - energy["facility"] == pytest.approx(energy["facility"])
    assert site["weather"]["choice"] == "given"


def test_the_command_prints_tables(run: Path, weather: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["year", str(run), "--weather", weather])
    assert ended.value.code == 0
    printed = capsys.readouterr()
    assert "PUE" in printed.out
    assert "electrical losses" in printed.out
    assert "weather of" in printed.err


def test_a_year_repeats_and_knows_its_period(run: Path, weather: str) -> None:
    ours = year_of_run(run, YearRequest((weather,), n_scenarios=2))
    theirs = year_of_run(run, YearRequest((weather,), n_scenarios=2, n_threads=1, backend="numpy"))
    assert ours["sites"][0]["pue"]["mean"] == pytest.approx(theirs["sites"][0]["pue"]["mean"], rel=TOLERANCE)
    assert ours["period"] == json.loads((run / "plan.json").read_text(encoding="utf-8"))["periods"][-1]
    with pytest.raises(InputError, match="period"):
        year_of_run(run, YearRequest((weather,), period="1999-Q1"))


def test_hours_have_names() -> None:
    assert hour_name(0) == "1 January 01:00"
    assert hour_name(8759) == "31 December 24:00"
    assert hour_name(31 * 24 + 12) == "1 February 13:00"

"""The loads of the hourly year: what does not follow the weather, once a scenario, and the machinery of every hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.faults import INDEX
from kernels.hourly import HEAT_WH, MACHINERY, PUMPS_WH, TOLERANCE, WET
from kernels.jitable import jitable
from kernels.loops.cooling_hour import (
    all_coolers,
    chillers_ready,
    compressor_w,
    coolers_that_pay,
    latent_heat_w,
    polynomial,
    pump_share,
    second_law_cop,
)
from kernels.loops.hourly import steady_loads
from kernels.samples.years import empty_year, make_year

if TYPE_CHECKING:
    from kernels.hourly import YearInput, YearModel, YearResult


class Tile(NamedTuple):
    """Hours and scenarios that are worked out at once; a place is one of each, scenarios fastest."""

    first_hour: int
    n_hours: int
    first_scenario: int
    n_scenarios: int


class Machines(NamedTuple):
    """Classes of machinery, and what one member of each does, [n_machines · n_places], places fastest."""

    class_idx: Any
    """[n_machines]"""
    site_idx: Any
    """[n_machines]"""
    able_w: Any
    """Heat that the chillers of its plant can remove."""
    cop: Any
    """Of those chillers at full load; 0 without any."""
    share: Any
    flow: Any
    entering_degc: Any
    """Of its coolers, if all of them run (`all_coolers`)."""
    cooled_w: Any
    fan_w: Any
    latent_w: Any
    """Of the coolers that run."""
    chilling_w: Any
    over: Any
    """1 where heat is left over."""


MACHINE_VALUES = ("able_w", "cop", "share", "flow", "entering_degc", "cooled_w", "fan_w", "latent_w", "chilling_w")
"""The floats of `Machines`."""


@jitable
def plant_of(model: YearModel, class_idx: int) -> int:
    """The plant that a class of machinery drives; -1 where there is none of that number."""
    plant: int = model.plant_idx[class_idx]
    return plant if 0 <= plant < model.heat_w.size else -1


@jitable
def plant_heat_w(model: YearModel, plant: int, load_factor: float) -> float:
    """Heat of a plant."""
    heat_w: float = model.heat_w[plant] * load_factor + model.fixed_heat_w[plant]
    return heat_w


def steady_kernel(
    model: YearModel, given: YearInput, tile: Tile, steady_w: Any, result: YearResult, fault: Any
) -> None:
    """One thread for each (site, scenario): steady loads and machinery's pumps.

    Writes steady_w, [n_classes, n_scenarios] of the tile, and adds a whole year's energies to the result.
    """
    n_hours = given.dry_bulb_degc.shape[1]
    for item in range(cuda.grid(1), model.most_load_factor.size * tile.n_scenarios, cuda.gridsize(1)):
        site, column = item // tile.n_scenarios, item % tile.n_scenarios
        scenario = tile.first_scenario + column
        load_factor = min(given.load_factor[scenario], model.most_load_factor[site])
        energy = result.energy_wh[site, :, scenario]
        steady_loads(model, site, load_factor, n_hours, energy, steady_w[:, column])
        for c in range(model.class_ptr[site], model.class_ptr[site + 1]):
            if model.kind[c] == MACHINERY:
                plant = plant_of(model, c)
                if plant < 0:
                    cuda.atomic.max(fault, 0, INDEX)
                    continue
                heat_w, design_w = plant_heat_w(model, plant, load_factor), model.design_heat_w[plant]
                pump_w = model.design_pump_w[plant] * pump_share(heat_w / design_w if design_w > 0.0 else 0.0)
                energy[HEAT_WH] += model.members[c] * heat_w * n_hours
                energy[PUMPS_WH] += model.members[c] * pump_w * n_hours
                steady_w[c, column] = model.fixed_w[c] + pump_w


def ready_kernel(model: YearModel, given: YearInput, tile: Tile, machines: Machines, fault: Any) -> None:
    """One thread for each (machine, hour, scenario): what the chillers of its plant can remove, and at which COP."""
    n_places = tile.n_hours * tile.n_scenarios
    for item in range(cuda.grid(1), machines.class_idx.size * n_places, cuda.gridsize(1)):
        machine, place = item // n_places, item % n_places
        plant = plant_of(model, machines.class_idx[machine])
        if plant < 0:
            cuda.atomic.max(fault, 0, INDEX)
            continue
        air_degc = dry_degc(model, given, tile, machines.site_idx[machine], place)
        able_w, cop = chillers_ready(
            curves_hold(model, plant, air_degc),
            model.chiller_rated_w[plant],
            max(0.0, air_degc - model.chiller_rated_degc[plant]),
            model.chiller_derate_per_k[plant],
            second_law_cop(
                model.efficiency[plant], model.evaporation_degc[plant], air_degc + model.condenser_lift_k[plant]
            ),
            model.reference_cop[plant],
            polynomial(
                model.capacity_constant[plant],
                model.capacity_linear[plant],
                model.capacity_quadratic[plant],
                air_degc,
            ),
            polynomial(model.power_constant[plant], model.power_linear[plant], model.power_quadratic[plant], air_degc),
        )
        machines.able_w[item], machines.cop[item] = able_w, cop


def coolers_kernel(model: YearModel, given: YearInput, tile: Tile, machines: Machines, fault: Any) -> None:
    """One thread for each (machine, hour, scenario): what the coolers of its plant do if all of them run."""
    n_places = tile.n_hours * tile.n_scenarios
    for item in range(cuda.grid(1), machines.class_idx.size * n_places, cuda.gridsize(1)):
        machine, place = item // n_places, item % n_places
        plant = plant_of(model, machines.class_idx[machine])
        if plant < 0:
            cuda.atomic.max(fault, 0, INDEX)
            continue
        site, rated_w = machines.site_idx[machine], model.cooler_rated_w[plant]
        heat_w = plant_heat_w(model, plant, load_factor_of(model, given, tile, site, place))
        share, flow, entering_degc = 0.0, 0.0, 0.0
        if rated_w > 0.0 and heat_w > 0.0:
            share, flow, entering_degc = all_coolers(
                heat_w / rated_w,
                dry_degc(model, given, tile, site, place),
                wet_degc(model, given, tile, site, plant, place),
                model.supply_degc[plant],
                model.rise_k[plant],
                model.cooler_kind[plant],
                model.cooler_approach_k[plant],
                model.saturation_efficiency[plant],
            )
        machines.share[item] = share
        machines.flow[item] = flow
        machines.entering_degc[item] = entering_degc


def fewer_coolers_kernel(model: YearModel, given: YearInput, tile: Tile, machines: Machines, fault: Any) -> None:
    """One thread for each (machine, hour, scenario): heat removed and fans of the coolers that run."""
    n_places = tile.n_hours * tile.n_scenarios
    for item in range(cuda.grid(1), machines.class_idx.size * n_places, cuda.gridsize(1)):
        machine = item // n_places
        plant = plant_of(model, machines.class_idx[machine])
        if plant < 0:
            cuda.atomic.max(fault, 0, INDEX)
            continue
        site = machines.site_idx[machine]
        heat_w = plant_heat_w(model, plant, load_factor_of(model, given, tile, site, item % n_places))
        share, flow, fan_w = machines.share[item], 0.0, 0.0
        if share > 0.0:
            share, fan_w, flow = coolers_that_pay(
                heat_w,
                share,
                machines.flow[item],
                machines.entering_degc[item],
                model.supply_degc[plant],
                model.rise_k[plant],
                model.cooler_rated_w[plant],
                model.cooler_approach_k[plant],
                model.cooler_fan_w[plant],
                machines.cop[item],
                machines.able_w[item],
            )
        machines.flow[item] = flow
        machines.cooled_w[item] = heat_w * share
        machines.fan_w[item] = fan_w


def chillers_kernel(
    model: YearModel, given: YearInput, tile: Tile, machines: Machines, result: YearResult, fault: Any
) -> None:
    """One thread for each (machine, hour, scenario): water evaporated, and what chillers draw for the heat left."""
    n_places = tile.n_hours * tile.n_scenarios
    for item in range(cuda.grid(1), machines.class_idx.size * n_places, cuda.gridsize(1)):
        machine, place = item // n_places, item % n_places
        plant = plant_of(model, machines.class_idx[machine])
        if plant < 0:
            cuda.atomic.max(fault, 0, INDEX)
            continue
        site, scenario = machines.site_idx[machine], tile.first_scenario + place % tile.n_scenarios
        heat_w = plant_heat_w(model, plant, load_factor_of(model, given, tile, site, place))
        rest_w = heat_w - machines.cooled_w[item]
        air_degc = dry_degc(model, given, tile, site, place)
        machines.latent_w[item] = 0.0
        if machines.flow[item] > 0.0:
            machines.latent_w[item] = latent_heat_w(
                machines.cooled_w[item],
                machines.flow[item],
                air_degc - machines.entering_degc[item],
                model.rise_k[plant],
                model.cooler_kind[plant],
                model.cooler_rated_w[plant],
                model.cooler_approach_k[plant],
            )
        curved = curves_hold(model, plant, air_degc)
        able_w, cop, chilling_w = machines.able_w[item], machines.cop[item], 0.0
        if rest_w > 0.0 and cop > 0.0:
            chilling_w = rest_w / cop
            if curved:
                chilling_w = compressor_w(
                    rest_w,
                    able_w / model.n_chillers[plant],
                    cop,
                    model.part_constant[plant],
                    model.part_linear[plant],
                    model.part_quadratic[plant],
                )
        machines.chilling_w[item] = chilling_w
        if chilling_w > 0.0 and model.has_curves[plant] > 0.0 and not curved:
            cuda.atomic.add(result.plant_beyond_hours, (plant, scenario), 1)
        machines.over[item] = 0
        if rest_w > 0.0 and rest_w > able_w * (1.0 + TOLERANCE):
            machines.over[item] = 1
            cuda.atomic.add(result.plant_over_hours, (plant, scenario), 1)


@jitable
def load_factor_of(model: YearModel, given: YearInput, tile: Tile, site: int, place: int) -> float:
    """Load factor of a site at a place of the tile."""
    scenario = tile.first_scenario + place % tile.n_scenarios
    load_factor: float = min(given.load_factor[scenario], model.most_load_factor[site])
    return load_factor


@jitable
def wet_degc(model: YearModel, given: YearInput, tile: Tile, site: int, plant: int, place: int) -> float:
    """Wet bulb that enters the coolers of a plant at a place of the tile."""
    hour, scenario = tile.first_hour + place // tile.n_scenarios, tile.first_scenario + place % tile.n_scenarios
    degc: float = given.wet_bulb_degc[site, hour] + given.temperature_offset_k[scenario]
    if model.cooler_kind[plant] == WET:
        degc += model.recirculation_k[site]
    return degc


@jitable
def dry_degc(model: YearModel, given: YearInput, tile: Tile, site: int, place: int) -> float:
    """Dry bulb that enters the coolers of a site at a place of the tile."""
    hour, scenario = tile.first_hour + place // tile.n_scenarios, tile.first_scenario + place % tile.n_scenarios
    degc: float = given.dry_bulb_degc[site, hour] + given.temperature_offset_k[scenario] + model.recirculation_k[site]
    return degc


@jitable
def curves_hold(model: YearModel, plant: int, air_degc: float) -> bool:
    """Whether the published curves of a plant's chillers hold at an air temperature."""
    hold: bool = model.curves_from_degc[plant] <= air_degc <= model.curves_to_degc[plant]
    return hold


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    model, given = make_year(1, n_scenarios=1)
    result, machines, tile = empty_year(model, given), sample_machines(), Tile(0, 1, 0, 1)
    return [
        CompileCase("hourly_year", steady_kernel, (model, given, tile, np.zeros((1, 1)), result)),
        CompileCase("hourly_year", ready_kernel, (model, given, tile, machines)),
        CompileCase("hourly_year", coolers_kernel, (model, given, tile, machines)),
        CompileCase("hourly_year", fewer_coolers_kernel, (model, given, tile, machines)),
        CompileCase("hourly_year", chillers_kernel, (model, given, tile, machines, result)),
    ]


def sample_machines() -> Machines:
    """Arrays of the kinds that a launch has."""
    numbers, values = np.zeros(1, np.int64), {name: np.zeros(1) for name in MACHINE_VALUES}
    return Machines(class_idx=numbers, site_idx=numbers, over=numbers, **values)

"""The electrical side of the hourly year: every watt from its load to the meter of its site, and all meters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.faults import INDEX
from kernels.cuda.hourly_loads import Machines, Tile, plant_of, sample_machines
from kernels.hourly import (
    COMPRESSORS_WH,
    COOLER_FANS_WH,
    COOLER_HEAT_WH,
    ELEMENT,
    EVAPORATED_L,
    FACILITY_WH,
    LITRES_PER_WH,
    LOSSES_WH,
    MACHINERY,
    MAKEUP_L,
    NO_COMPRESSOR,
    OVER_ELEMENT,
    OVER_RATING,
    TOLERANCE,
    TRIM,
    WETTED,
)
from kernels.loops.hourly import loss_w
from kernels.samples.years import empty_year, make_year

if TYPE_CHECKING:
    from kernels.hourly import YearModel, YearResult


class Carried(NamedTuple):
    """What the classes of a tile take."""

    machine_of_class_idx: Any
    """[n_classes] number among the machines; -1 for other classes."""
    steady_w: Any
    """[n_classes, n_scenarios] of one member; of machinery, without what follows the weather."""
    taken_w: Any
    """[n_classes · n_places] of one member of machinery and of elements, places fastest."""
    meter_w: Any
    """[n_sites · n_places]"""
    over: Any
    """[n_sites · n_places] 1 where a plant has heat left over."""


class Sums(NamedTuple):
    """Sums over the hours that one place of the tiles stands for; every place has its own, so that no order matters."""

    energy_wh: Any
    """[n_sites, N_ENERGIES, n_places]"""
    water_l: Any
    """[n_sites, N_WATERS, n_places]"""
    hours: Any
    """[n_sites, N_HOURS_KINDS, n_places]"""
    peak_w: Any
    """[n_sites + 1, n_places] highest hour at the meter; last, of all sites together."""
    peak_hour: Any
    """[n_sites + 1, n_places] first such hour."""


def machines_kernel(model: YearModel, tile: Tile, machines: Machines, carried: Carried, sums: Sums, fault: Any) -> None:  # noqa: ARG001
    """One thread for each (site, hour, scenario): what the site's machinery takes, evaporates and leaves over."""
    n_places = tile.n_hours * tile.n_scenarios
    for item in range(cuda.grid(1), model.most_load_factor.size * n_places, cuda.gridsize(1)):
        site, place = item // n_places, item % n_places
        over, compressing, wetted = 0, 0, 0
        for c in range(model.class_ptr[site], model.class_ptr[site + 1]):
            plant = plant_of(model, c) if model.kind[c] == MACHINERY else -1
            if plant < 0:
                continue
            at = carried.machine_of_class_idx[c] * n_places + place
            members, fan_w, chilling_w = model.members[c], machines.fan_w[at], machines.chilling_w[at]
            evaporated_l = members * machines.latent_w[at] * LITRES_PER_WH
            sums.energy_wh[site, COOLER_HEAT_WH, place] += members * machines.cooled_w[at]
            sums.energy_wh[site, COOLER_FANS_WH, place] += members * fan_w
            sums.energy_wh[site, COMPRESSORS_WH, place] += members * chilling_w
            sums.water_l[site, EVAPORATED_L, place] += evaporated_l
            sums.water_l[site, MAKEUP_L, place] += evaporated_l * model.makeup_ratio[plant]
            steady_w = carried.steady_w[c, place % tile.n_scenarios]
            carried.taken_w[c * n_places + place] = steady_w + fan_w + chilling_w
            over |= machines.over[at]
            compressing = 1 if chilling_w > 0.0 else compressing
            wetted = 1 if machines.latent_w[at] > 0.0 else wetted
        carried.over[item] = over
        sums.hours[site, TRIM, place] += compressing
        sums.hours[site, NO_COMPRESSOR, place] += 1 - compressing
        sums.hours[site, WETTED, place] += wetted


def elements_kernel(model: YearModel, tile: Tile, carried: Carried, sums: Sums, result: YearResult, fault: Any) -> None:
    """One thread for each (site, hour, scenario): the site's elements, from its loads to its meter."""
    n_places = tile.n_hours * tile.n_scenarios
    for item in range(cuda.grid(1), model.most_load_factor.size * n_places, cuda.gridsize(1)):
        site, place = item // n_places, item % n_places
        column, over, meter_w = place % tile.n_scenarios, 0, 0.0
        for c in range(model.class_ptr[site], model.class_ptr[site + 1]):
            if model.kind[c] != ELEMENT:
                continue
            output_w = model.fixed_w[c]
            for entry in range(model.entry_ptr[c], model.entry_ptr[c + 1]):
                fed = model.entry_class_idx[entry]
                if fed < model.class_ptr[site] or fed >= c:
                    cuda.atomic.max(fault, 0, INDEX)
                    break
                follows = model.kind[fed] == ELEMENT or model.kind[fed] == MACHINERY
                taken_w = carried.taken_w[fed * n_places + place] if follows else carried.steady_w[fed, column]
                output_w += model.entry_share[entry] * taken_w
            if output_w > model.rating_w[c] * (1.0 + TOLERANCE):
                over = 1
                cuda.atomic.add(result.class_over_hours, (c, tile.first_scenario + column), 1)
            lost_w = loss_w(
                output_w, model.plate_w[c], model.loss_no_load[c], model.loss_linear[c], model.loss_quadratic[c]
            )
            sums.energy_wh[site, LOSSES_WH, place] += model.members[c] * lost_w
            carried.taken_w[c * n_places + place] = output_w + lost_w
            meter_w = output_w
        carried.meter_w[item] = meter_w
        sums.hours[site, OVER_ELEMENT, place] += over
        sums.hours[site, OVER_RATING, place] += over | carried.over[item]


def meters_kernel(tile: Tile, carried: Carried, sums: Sums, result: YearResult, fault: Any) -> None:  # noqa: ARG001
    """One thread for each (hour, scenario): the meters of all sites, their highest hours, and those of their sum."""
    n_places, n_sites = tile.n_hours * tile.n_scenarios, sums.energy_wh.shape[0]
    for place in range(cuda.grid(1), n_places, cuda.gridsize(1)):
        hour, total_w = tile.first_hour + place // tile.n_scenarios, 0.0
        for site in range(n_sites + 1):
            meter_w = total_w
            if site < n_sites:
                meter_w = carried.meter_w[site * n_places + place]
                total_w += meter_w
                sums.energy_wh[site, FACILITY_WH, place] += meter_w
                if tile.first_scenario + place % tile.n_scenarios == 0:
                    result.meter_w[site, hour] = meter_w
            if meter_w > sums.peak_w[site, place]:
                sums.peak_w[site, place] = meter_w
                sums.peak_hour[site, place] = hour


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    model, given = make_year(1, n_scenarios=1)
    result, machines, tile = empty_year(model, given), sample_machines(), Tile(0, 1, 0, 1)
    numbers, watts, matrix = np.zeros(1, np.int64), np.zeros(1), np.zeros((1, 1))
    carried = Carried(numbers, matrix, watts, watts, numbers)
    cube, counts = np.zeros((1, 1, 1)), np.zeros((1, 1, 1), np.int64)
    sums = Sums(cube, cube, counts, matrix, np.zeros((1, 1), np.int64))
    return [
        CompileCase("hourly_year", machines_kernel, (model, tile, machines, carried, sums)),
        CompileCase("hourly_year", elements_kernel, (model, tile, carried, sums, result)),
        CompileCase("hourly_year", meters_kernel, (tile, carried, sums, result)),
    ]

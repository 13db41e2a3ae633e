"""The hourly year of many sites under many scenarios: hours and scenarios in tiles that fit into a bounded room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kernels.cuda.hourly_loads import (
    MACHINE_VALUES,
    Machines,
    Tile,
    chillers_kernel,
    coolers_kernel,
    fewer_coolers_kernel,
    ready_kernel,
    steady_kernel,
)
from kernels.cuda.hourly_sites import Carried, Sums, elements_kernel, machines_kernel, meters_kernel
from kernels.cuda.launch import launch, over
from kernels.cuda.memory import array_module
from kernels.hourly import MACHINERY, N_ENERGIES, N_HOURS_KINDS, N_WATERS

if TYPE_CHECKING:
    from kernels.hourly import YearInput, YearModel, YearResult


@dataclass
class Budget:
    """Device memory that a year's tiles may take; tests make it tiny so that there are several."""

    room_bytes: int = 1 << 28
    """256 MiB: some thousand hours of a large portfolio at once, threads for any device, little of its memory."""


budget = Budget()
_WORD_BYTES = 8


class _Years(NamedTuple):
    """Arguments of every launch."""

    model: YearModel
    given: YearInput
    result: YearResult


def hourly_year(model: YearModel, given: YearInput, result: YearResult) -> None:
    """Work out every hour of every site under every scenario.

    Parameters: model; given, weather and scenarios; result, written. All lie on the device. Sums are taken place by
    place of the tiles and then over the places by CuPy, without atomics, so a year repeats to the bit.
    """
    years = _Years(model, given, result)
    for array in result:
        array[...] = 0
    machine_idx = array_module().flatnonzero(model.kind == MACHINERY)
    for tile in _scenario_tiles(years, len(machine_idx)):
        _some_scenarios(years, machine_idx, tile)


def bytes_of_place(n_classes: int, n_machines: int, n_sites: int) -> int:
    """Device memory for one hour under one scenario. Parameters: classes, those of machinery, and sites in all."""
    by_machine, by_class = len(MACHINE_VALUES) + 1, 1
    by_site = N_ENERGIES + N_WATERS + N_HOURS_KINDS + 2 + 2
    return _WORD_BYTES * (n_classes * by_class + n_machines * by_machine + n_sites * by_site + 2)


def _scenario_tiles(years: _Years, n_machines: int) -> list[Tile]:
    """Parts of the scenarios with the hours that fit at once; at least an hour of one scenario."""
    n_sites, n_hours = years.given.dry_bulb_degc.shape
    n_scenarios = len(years.given.load_factor)
    most = max(1, budget.room_bytes // bytes_of_place(len(years.model.kind), n_machines, n_sites))
    width = min(n_scenarios, most)
    return [
        Tile(0, min(n_hours, max(1, most // width)), first, min(width, n_scenarios - first))
        for first in range(0, n_scenarios, width or 1)
    ]


def _some_scenarios(years: _Years, machine_idx: Any, tile: Tile) -> None:
    """Some scenarios, tile after tile of their hours."""
    xp, (model, given, result) = array_module(), years
    n_classes, n_places = len(model.kind), tile.n_hours * tile.n_scenarios
    n_sites, n_hours = given.dry_bulb_degc.shape
    machines, sums = _machines(model, machine_idx, n_places), _sums(n_sites, n_places)
    number = xp.full(n_classes, -1, "int64")
    number[machine_idx] = xp.arange(len(machine_idx))
    carried = Carried(
        machine_of_class_idx=number,
        steady_w=xp.zeros((n_classes, tile.n_scenarios)),
        taken_w=xp.zeros(n_classes * n_places),
        meter_w=xp.zeros(n_sites * n_places),
        over=xp.zeros(n_sites * n_places, "int64"),
    )
    steady = {"model": model, "given": given, "tile": tile, "steady_w": carried.steady_w, "result": result}
    launch("hourly_year", steady_kernel, over(n_sites * tile.n_scenarios), **steady)
    for first in range(0, n_hours, tile.n_hours):
        part = tile._replace(first_hour=first, n_hours=min(tile.n_hours, n_hours - first))
        _some_hours(years, part, machines, carried, sums)
    _add_up(result, sums, tile)


def _machines(model: YearModel, machine_idx: Any, n_places: int) -> Machines:
    xp, n_values = array_module(), len(machine_idx) * n_places
    site_idx = xp.searchsorted(model.class_ptr, machine_idx, side="right") - 1
    values = {name: xp.zeros(n_values) for name in MACHINE_VALUES}
    return Machines(class_idx=machine_idx, site_idx=site_idx, over=xp.zeros(n_values, "int64"), **values)


def _sums(n_sites: int, n_places: int) -> Sums:
    xp = array_module()
    return Sums(
        energy_wh=xp.zeros((n_sites, N_ENERGIES, n_places)),
        water_l=xp.zeros((n_sites, N_WATERS, n_places)),
        hours=xp.zeros((n_sites, N_HOURS_KINDS, n_places), "int64"),
        peak_w=xp.full((n_sites + 1, n_places), -1.0),
        peak_hour=xp.zeros((n_sites + 1, n_places), "int64"),
    )


def _some_hours(years: _Years, tile: Tile, machines: Machines, carried: Carried, sums: Sums) -> None:
    """Launch one tile: machinery, then every site from its loads to its meter, then all meters."""
    name, (model, given, result) = "hourly_year", years
    n_places = tile.n_hours * tile.n_scenarios
    by_machine, by_site = over(len(machines.class_idx) * n_places), over(len(model.most_load_factor) * n_places)
    for body in (ready_kernel, coolers_kernel, fewer_coolers_kernel):
        launch(name, body, by_machine, model=model, given=given, tile=tile, machines=machines)
    launch(name, chillers_kernel, by_machine, model=model, given=given, tile=tile, machines=machines, result=result)
    launch(name, machines_kernel, by_site, model=model, tile=tile, machines=machines, carried=carried, sums=sums)
    launch(name, elements_kernel, by_site, model=model, tile=tile, carried=carried, sums=sums, result=result)
    launch(name, meters_kernel, over(n_places), tile=tile, carried=carried, sums=sums, result=result)


def _add_up(result: YearResult, sums: Sums, tile: Tile) -> None:
    """Add the places of some scenarios; the peak is the highest place's, the first hour where several are."""
    xp, columns = array_module(), slice(tile.first_scenario, tile.first_scenario + tile.n_scenarios)

    def by_hour(array: Any) -> Any:
        return array.reshape(*array.shape[:-1], tile.n_hours, tile.n_scenarios)

    result.energy_wh[..., columns] += by_hour(sums.energy_wh).sum(axis=2)
    result.water_l[..., columns] += by_hour(sums.water_l).sum(axis=2)
    result.hours[..., columns] += by_hour(sums.hours).sum(axis=2)
    peaks_w, hours = by_hour(sums.peak_w), by_hour(sums.peak_hour)
    most_w = peaks_w.max(axis=1)
    later = xp.full_like(hours, result.meter_w.shape[1])
    result.peak_w[:, columns] = most_w
    result.peak_hour[:, columns] = xp.where(peaks_w == most_w[:, None], hours, later).min(axis=1)

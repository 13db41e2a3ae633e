"""The plan in floating point with what the linear limits only bound: losses at actual load, the plant at its hour.

Nothing here decides whether a limit holds; it shows that the physics stays inside the linear model, and by how much.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.verify.flow import Flow, TrueLosses
from planner.verify.power import epochs_of
from planner.verify.report import Check, check_of
from sites.calendar import quarter_index
from sites.world import site_cooling_equipment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.network import Network
    from planner.verify.power import EpochDraws
    from planner.verify.standing import Standing
    from sites.catalog.loader import Catalog
    from sites.schema.catalog import CoolingEquipment
    from sites.schema.site import Plant, SiteFile

_TOLERANCE = 1e-9
KELVIN = 273.15


@dataclass
class Chain:
    """What the nonlinear chain of one site shows."""

    site: str
    fullest: float = 0.0
    """Highest load over rating of any element, in any period, after any failure."""
    fullest_name: str = ""
    n_evaluated: int = 0
    meter_w: dict[int, float] = field(default_factory=dict)
    """True power at the service by period."""
    faults: list[str] = field(default_factory=list)

    def run(self, standing: Standing) -> None:
        """Evaluate normal operation and every failure of every period."""
        for draws in epochs_of(standing):
            network, wiring = draws.walker.network, draws.wiring
            loads = {node: [float(watts) for watts in draws.draw_w(node)] for node in draws.loads()}
            flow = Flow(network, wiring, loads, TrueLosses(network), len(draws.rows))
            service = network.index["service"]
            if service not in wiring.dead:
                self.meter_w.update(zip(draws.periods, flow.output[service], strict=False))
            self._look(draws, network, flow.output, "normal operation")
            for failed in network.failures(wiring):
                outage = draws.walker.outage(draws.epoch, failed)
                silenced = {node: [float(w) for w in watts] for node, watts in draws.silenced(outage).items()}
                after = flow.after(outage, silenced)
                self._look(draws, network, after, f"the failure of {network.failure_name(failed)}")

    def _look(self, draws: EpochDraws, network: Network, output: Mapping[int, list[float]], when: str) -> None:
        for node, watts in output.items():
            rating_w = network.rating_w[node]
            if rating_w is None:
                continue
            self.n_evaluated += len(draws.periods)
            most = max(watts[: len(draws.periods)])
            share = most / rating_w if rating_w else float(most > 0) * 2
            if share > self.fullest:
                self.fullest, self.fullest_name = share, f"{network.names[node]} in {when}"
            if most > rating_w * (1 + _TOLERANCE) + _TOLERANCE:
                self.faults.append(f"{self.site}:{network.names[node]} carries {most:.0f} W of {rating_w} in {when}")


def check_chain(chains: list[Chain], linear_w: Mapping[str, list[float]]) -> Check:
    """No element exceeds its rating with losses at actual load, and the linear meter is not below the true one.

    Parameters: linear_w, watts at each site's meter by the published rule, by period.
    """
    faults = [fault for chain in chains for fault in chain.faults]
    excess = []
    for chain in chains:
        for period, true_w in chain.meter_w.items():
            linear = linear_w[chain.site][period]
            excess.append(linear - true_w)
            if true_w > linear * (1 + _TOLERANCE) + 1:
                faults.append(f"the meter of {chain.site} reads {true_w:.0f} W, above the linear {linear:.0f} W")
    fullest = max(chains, key=lambda chain: chain.fullest)
    n_evaluated = sum(chain.n_evaluated for chain in chains)
    held = (
        f"{n_evaluated} loads with losses at actual load: fullest {fullest.fullest:.2%}, {fullest.site}:"
        f"{fullest.fullest_name}; the linear meter is conservative by up to {max(excess, default=0):.0f} W"
    )
    return check_of("nonlinear chain", faults, held)


@dataclass(frozen=True)
class DesignHour:
    """A plant at its design hour in floating point."""

    dry_share: float
    machinery_per_heat_watt: float


def design_hour(plant: Plant, site: SiteFile, equipment: Mapping[str, CoolingEquipment]) -> DesignHour:
    """Dry coolers first, chillers for the rest, from temperatures; absolute temperatures in the COP."""
    air_degc = float(site.climate.design_dry_bulb + site.climate.recirculation)
    supply, rise = float(plant.supply), float(plant.rise)
    dry = None if plant.dry_coolers is None else equipment[plant.dry_coolers.equipment]
    chiller = None if plant.chillers is None else equipment[plant.chillers.equipment]
    dry_share = 0.0
    if dry is not None:
        leaving = max(supply, air_degc + _figure(dry, "approach"))
        dry_share = max(0.0, supply + rise - leaving) / rise
    watts = float(plant.pump_power_per_heat)
    watts += dry_share * (_figure(dry, "power_per_heat") if dry is not None else 0.0)
    if chiller is not None and dry_share < 1:
        cold_k = supply - _figure(chiller, "evaporator_approach") + KELVIN
        hot_k = air_degc + _figure(chiller, "condenser_lift") + KELVIN
        watts += (1 - dry_share) * (hot_k - cold_k) / (_figure(chiller, "second_law_efficiency") * cold_k)
    return DesignHour(dry_share, watts)


def _figure(equipment: CoolingEquipment, key: str) -> float:
    value = getattr(equipment, key)
    if value is None or value.value is None:
        msg = f"'{key}' of '{equipment.name}' is unknown"
        raise ValueError(msg)
    return float(value.value)


def check_plants(standing: Mapping[str, Standing], sites: Mapping[str, SiteFile], catalog: Catalog) -> Check:
    """Every plant at its design hour: machinery as the limits charge it, no unit beyond its heat with spares out."""
    faults: list[str] = []
    n_plants, fullest = 0, 0.0
    for name, one in standing.items():
        equipment = site_cooling_equipment(sites[name], catalog)
        graphs = one.limits.graphs
        charged = {
            fields["loop"]: fields for _, fields in graphs.power.nodes(data=True) if fields["kind"] == "mechanical"
        }
        for building in sites[name].buildings:
            for plant in sites[name].building_templates[building.template].plants:
                node = f"{building.name}/{plant.name}"
                hour, fields = design_hour(plant, sites[name], equipment), graphs.cooling.nodes[node]
                n_plants += 1
                if hour.machinery_per_heat_watt > float(charged[node]["watts_per_liquid_watt"]) * (1 + _TOLERANCE):
                    faults.append(f"the machinery of {name}:{node} draws more at its hour than the limits charge")
                if abs(hour.dry_share - float(fields["dry_fraction"])) > _TOLERANCE:
                    faults.append(f"the dry coolers of {name}:{node} take {hour.dry_share:.6f} of the heat at its hour")
                heat_w = _peak_heat_w(one, node)
                banks = ((hour.dry_share, "dry", "dry_cooler"), (1 - hour.dry_share, "chiller", "chiller"))
                for share, bank, unit in banks:
                    n_left = fields[f"n_{unit}s"] - fields[f"{bank}_spares"]
                    most_w = float(fields[f"{unit}_heat_w"]) * max(n_left, 0)
                    used_w = share * heat_w
                    if used_w > most_w * (1 + _TOLERANCE) + 1:
                        faults.append(f"{unit}s of {name}:{node} move {used_w:.0f} W of {most_w:.0f} with spares out")
                    fullest = max(fullest, used_w / most_w if most_w else 0.0)
    return check_of("plant at its hour", faults, f"{n_plants} plants at their design hour: fullest bank {fullest:.2%}")


def _peak_heat_w(standing: Standing, plant: str) -> float:
    """The most heat that reaches a plant in any period, the fans of its air handlers included."""
    cooling = standing.limits.graphs.cooling
    rows = standing.limits.rows_on_plant.get(plant, [])
    in_service = quarter_index(cooling.nodes[plant]["in_service"])
    most = 0.0
    for t, quarter in enumerate(standing.periods):
        if quarter_index(quarter) < in_service:
            continue
        heat = standing.electrical(t)
        total = 0.0
        for header, row, medium in rows:
            if row in heat:
                fans = 0.0 if medium == "liquid" else float(cooling.nodes[header]["watts_per_heat_watt"])
                total += heat[row]["liquid_w" if medium == "liquid" else "air_w"] * (1 + fans)
        most = max(most, total)
    return most


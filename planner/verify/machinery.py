"""What pumps, fans and chillers really draw at part load, beside the constant watt for each watt of heat of the limits.

Affinity laws: a pump's or fan's draw falls with the cube of its speed where all its head is friction. Sources: ASHRAE
Handbook, HVAC Systems and Equipment, chapters on fans and centrifugal pumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.verify.plant_hour import DesignHour
    from planner.verify.states import States
    from sites.expansion import SiteGraphs

LEAST_SPEED = 0.3
"""Share of full speed under which a fan or pump cycles instead."""
STATIC_HEAD = 0.3
"""Share of a pump's head that does not fall with its flow."""


def fan_factor(load: float) -> float:
    """Draw over full draw of a fan at a share of its air flow, at most `load` itself."""
    return load**3 if load > LEAST_SPEED else load * LEAST_SPEED**2


def pump_factor(load: float) -> float:
    """Draw over full draw of a pump at a share of its flow, at most `load` itself."""
    held = max(load, LEAST_SPEED)
    return load * (STATIC_HEAD + (1 - STATIC_HEAD) * held * held)


@dataclass(frozen=True)
class Part:
    """Like machines that share one kind of work."""

    bank: str
    watts_per_heat_watt: float
    """At full load, for each watt of heat of the whole plant or header that they take a share of."""
    heat_share: float
    """Share of that heat that they move."""
    unit_w: float
    """Heat of one unit."""
    n_units: int
    spares: int
    law: Callable[[float], float]
    """Draw over full draw by load of a unit."""
    staged: bool
    """Whether units that are not needed stop, as chillers do; fans and pumps share the work."""

    def draw_w(self, heat_w: float, n_lost: int) -> float:
        """Electric watts at a heat of the whole plant or header, with as many units out as are spare, or lost."""
        n_working = max(1, self.n_units - max(self.spares, n_lost))
        own_w = heat_w * self.heat_share
        if own_w <= 0 or self.unit_w <= 0:
            return 0.0
        n_running = min(n_working, ceil(own_w / self.unit_w)) if self.staged else n_working
        load = own_w / (n_running * self.unit_w)
        # Beyond its rating nothing is known of a machine; the limits keep it within.
        factor = self.law(load) if load < 1 else load
        return self.watts_per_heat_watt * n_running * self.unit_w * factor


@dataclass(frozen=True)
class Machine:
    """The machinery of one header or plant, as the limits charge it and as it draws."""

    watts_per_heat_watt: float
    """What the limits charge."""
    fixed_w: float
    parts: tuple[Part, ...]

    @property
    def banks(self) -> frozenset[str]:
        """Banks whose units it is made of."""
        return frozenset(part.bank for part in self.parts)

    def draw_w(self, charged_w: float, lost: Mapping[str, int]) -> float:
        """Electric watts where the limits charge some.

        Parameters: charged_w, fixed watts included; lost, units out of each bank.
        """
        if not self.watts_per_heat_watt:
            return charged_w
        heat_w = (charged_w - self.fixed_w) / self.watts_per_heat_watt
        return self.fixed_w + sum(part.draw_w(heat_w, lost.get(part.bank, 0)) for part in self.parts)


def machines_of(graphs: SiteGraphs, states: States, hours: Mapping[str, DesignHour]) -> dict[int, Machine]:
    """The machinery of every mechanical load, by node.

    Parameters: hours, the design hour of every plant by node id.
    """
    found: dict[int, Machine] = {}
    for node, fields in graphs.power.nodes(data=True):
        if fields["kind"] == "mechanical":
            loop, fixed_w = fields["loop"], float(fields["fixed_w"])
            per_watt = float(fields["watts_per_liquid_watt"] or fields["watts_per_air_watt"])
            parts = _plant(states, loop, hours[loop]) if loop in hours else (_header(states, loop, per_watt),)
            found[states.network.index[node]] = Machine(per_watt, fixed_w, parts)
    return found


def _header(states: States, header: str, per_watt: float) -> Part:
    """Pumps of CDUs, or fans of air handlers."""
    bank = states.facility.banks[header]
    law = pump_factor if "liquid" in bank.families else fan_factor
    units = [float(states.graphs.cooling.nodes[unit]["heat_w"]) for unit in states.graphs.cooling.predecessors(header)]
    return Part(header, per_watt, 1.0, min(units), len(units), bank.spares, law, staged=False)


def _plant(states: States, plant: str, hour: DesignHour) -> tuple[Part, ...]:
    """Fans of coolers, compressors of chillers, and pumps, which run at full flow when the fullest bank is full."""
    fields, parts, full_heat_w = states.graphs.cooling.nodes[plant], [], float("inf")
    for name, share, key in (("dry", hour.dry_share, "dry_cooler"), ("chiller", 1 - hour.dry_share, "chiller")):
        bank = states.facility.banks.get(f"{plant}:{name}")
        if bank is None or share <= 0:
            continue
        unit_w, n_units = float(fields[f"{key}_heat_w"]), int(fields[f"n_{key}s"])
        per_watt, law = (hour.fans, fan_factor) if name == "dry" else (hour.chillers, _compressor(hour))
        parts.append(Part(bank.name, per_watt, share, unit_w, n_units, bank.spares, law, staged=name == "chiller"))
        full_heat_w = min(full_heat_w, max(1, n_units - bank.spares) * unit_w / share)
    return (*parts, Part(plant, hour.pumps, 1.0, full_heat_w, 1, 0, pump_factor, staged=False))


def _compressor(hour: DesignHour) -> Callable[[float], float]:
    """Draw of one chiller over its draw at full load, by the published part-load curve."""
    return lambda load: load * hour.chiller_factor(load)

"""A state of a site, or of one building, as a load-flow case of power-grid-model.

Every element is a branch from the bus of its sources to its own bus; elements that feed a load together share one
bus. The file is the JSON that power-grid-model reads; keys that it does not know are ignored there and carry names and
our own figures: `name`, `our_output_w`, `our_loss_w`, `our_u_pu`. `docs/peers.md` tells how each kind is modelled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.export.voltages import Voltages
from planner.verify.network import SERVICE
from sites.faults import Fault, InputError
from sites.nearest import unknown

if TYPE_CHECKING:
    from pathlib import Path

    from planner.export.condition import Condition

STIFFNESS = 1e6
"""Short-circuit power of a source over the watts of what it feeds: its own drop is a millionth."""
LOSSLESS_RESISTANCE = 1e-6
"""Per-unit resistance of an element whose published loss has no part that grows with the square of its load."""
CONSTANT_POWER = 0
WYE_GROUNDED = 1

Component = dict[str, Any]


@dataclass
class PowerCase:
    """A case in the making: components by kind, with ids that are unique over all kinds."""

    condition: Condition
    building: str | None
    voltages: Voltages
    components: dict[str, list[Component]] = field(default_factory=dict)
    _bus_ids: dict[int, int] = field(default_factory=dict)
    _n_ids: int = 0

    def build(self) -> None:
        """Turn the live nodes of the state into components; raises InputError when none of them draws power."""
        state = self.condition
        service = state.network.index[SERVICE]
        chosen = self._chosen()
        if not any(state.is_load(node) for node in chosen):
            message = f"nothing of it draws power in {state.quarter}; name another quarter or building"
            raise InputError([Fault(f"site {state.site}", None, self.building or "", message)])
        for node in sorted(chosen):
            if not state.is_load(node):
                self._bus(node)
        self._source(service, self.voltages.output_w[service], 1.0)
        for node in sorted(chosen):
            if state.is_load(node):
                self._split_load(node)
            elif node != service:
                self._element(node)
        self._rest(chosen)

    def _chosen(self) -> set[int]:
        """Live nodes of the building with everything above them; without a building, all live nodes."""
        state = self.condition
        if self.building is None:
            return set(state.output_w)
        chosen: set[int] = set()
        ahead = [node for node in state.output_w if state.network.names[node].startswith(f"{self.building}/")]
        while ahead:
            node = ahead.pop()
            if node not in chosen:
                chosen.add(node)
                ahead.extend(source for source, _ in state.wiring.shares.get(node, ()))
        return chosen

    def _add(self, kind: str, name: str, component: Component) -> int:
        self._n_ids += 1
        self.components.setdefault(kind, []).append({"id": self._n_ids, "name": name, **component})
        return self._n_ids

    def _bus(self, node: int) -> int:
        """The bus that a node feeds; the first node of a shared bus names it."""
        first = self.voltages.bus_of(node)
        if first not in self._bus_ids:
            fields = {"u_rated": self.voltages.rated_v(first), "our_u_pu": self.voltages.per_unit[first]}
            self._bus_ids[first] = self._add("node", self.condition.network.names[first], fields)
        return self._bus_ids[first]

    def _source(self, node: int, watts: float, u_per_unit: float) -> None:
        base_w = max(watts, float(self.condition.network.plate_w[node]), 1.0)
        fields = {"node": self._bus(node), "status": 1, "u_ref": u_per_unit, "sk": STIFFNESS * base_w}
        self._add("source", self.condition.network.names[node], {**fields, "our_output_w": watts})

    def _load(self, name: str, bus: int, watts: float) -> None:
        fields = {"node": bus, "status": 1, "type": CONSTANT_POWER, "p_specified": watts, "q_specified": 0.0}
        self._add("sym_load", name, fields)

    def _split_load(self, node: int) -> None:
        """A row, mechanical or support load: its share on each of its feeds."""
        name, watts = self.condition.network.names[node], self.condition.output_w[node]
        for source, share in self.condition.wiring.shares[node]:
            self._load(name, self._bus(source), watts * float(share))

    def _element(self, node: int) -> None:
        state = self.condition
        name, kind, output_w = state.network.names[node], state.network.kinds[node], self.voltages.output_w[node]
        input_w = self.voltages.input_w[node]
        above = self._bus(state.wiring.shares[node][0][0])
        house_load_w = float(state.network.output_constant_w[node])
        if house_load_w:
            self._load(f"{name} house load", self._bus(node), house_load_w)
        if kind == "ups":
            self._load(name, above, input_w)
            self._source(node, output_w, 1.0)
            return
        no_load, linear, quadratic = state.network.losses[node]
        plate_w = float(state.network.plate_w[node])
        as_transformer = self.voltages.has_iron(node)
        constant_w = linear * output_w + (0.0 if as_transformer else no_load * plate_w)
        if constant_w:
            self._load(f"{name} constant losses", above, constant_w)
        ours = {"our_output_w": output_w, "our_loss_w": input_w - output_w - constant_w}
        ends = {"from_node": above, "to_node": self._bus(node), "from_status": 1, "to_status": 1}
        if as_transformer:
            u1, u2 = self.voltages.rated_v(state.wiring.shares[node][0][0]), self.voltages.rated_v(node)
            self._add("transformer", name, {**ends, **_transformer(u1, u2, plate_w, no_load, quadratic), **ours})
        else:
            ohm_per_unit = self.voltages.rated_v(node) ** 2 / plate_w
            branch = {"r1": (quadratic or LOSSLESS_RESISTANCE) * ohm_per_unit, "x1": 0.0, "g1": 0.0, "b1": 0.0}
            self._add("generic_branch", name, {**ends, **branch, **ours})

    def _rest(self, chosen: set[int]) -> None:
        """What other buildings take from the buses of the case."""
        state = self.condition
        watts_by_node: dict[int, float] = {}
        for node in state.output_w.keys() - chosen:
            for source, share in state.wiring.shares.get(node, ()):
                if source in chosen:
                    watts_by_node[source] = watts_by_node.get(source, 0.0) + self.voltages.input_w[node] * float(share)
        for source, watts in sorted(watts_by_node.items()):
            self._load(f"other buildings on {state.network.names[source]}", self._bus(source), watts)


def _transformer(u1: float, u2: float, plate_w: float, no_load: float, quadratic: float) -> Component:
    """Rated voltages in V, plate in W, no-load and load loss as fractions of the plate; purely resistive."""
    taps = {"tap_side": 0, "tap_pos": 0, "tap_min": 0, "tap_max": 0, "tap_nom": 0, "tap_size": 0.0}
    windings = {"winding_from": WYE_GROUNDED, "winding_to": WYE_GROUNDED, "clock": 0}
    load_loss_w, no_load_w = quadratic * plate_w, no_load * plate_w
    # Divided back rather than taken as they are: the peer refuses a voltage below loss / plate by a last digit.
    losses = {"uk": load_loss_w / plate_w, "pk": load_loss_w, "i0": no_load_w / plate_w, "p0": no_load_w}
    return {"u1": u1, "u2": u2, "sn": plate_w, **losses, **windings, **taps}


def power_case(state: Condition, building: str | None = None) -> PowerCase:
    """The load-flow case of a state.

    Parameters: state, from `planner.export.condition`; building, only what feeds this one: what other buildings take
    becomes loads on the buses above. Raises InputError when the building is none or nothing of it is in service.
    """
    if building is not None:
        names = [name for name, fields in state.graphs.containment.nodes(data=True) if fields["kind"] == "building"]
        if building not in names:
            raise InputError([Fault(f"site {state.site}", None, "building", unknown("building", building, names))])
    case = PowerCase(state, building, Voltages(state))
    case.build()
    return case


def case_json(case: PowerCase) -> dict[str, Any]:
    """The case in power-grid-model's own serialisation, version 1.0."""
    return {
        "version": "1.0",
        "type": "input",
        "is_batch": False,
        "attributes": {},
        "data": case.components,
    }


def write_power_case(case: PowerCase, path: Path) -> None:
    """Write the case as JSON.

    Parameters: case; path, to be written. Raises OSError when it cannot be.
    """
    path.write_text(json.dumps(case_json(case), indent=1) + "\n", encoding="utf-8")

"""The names that a site file may use, and what is said of one that cannot be used where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sites.nearest import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sites.catalog.loader import Catalog
    from sites.explain import Step
    from sites.faults import Fault
    from sites.schema.catalog import ElementKind, PowerEquipment, SwitchEquipment
    from sites.schema.cooling import CoolingBank
    from sites.schema.cooling_equipment import CoolingEquipment, CoolingKind
    from sites.schema.site import SiteFile

SERVICE = "service"


def _wrong_kind(name: str, actual: str, due: str, allowed: Sequence[str]) -> str:
    found = f"'{name}' is of kind '{actual}', but kind '{due}' is due here"
    return f"{found}; allowed: {', '.join(allowed) or 'none is defined'}"


class FaultMaker(Protocol):
    """Makes a fault of a message and a path of keys and list positions; `Document.fault` is one that knows lines."""

    def __call__(self, message: str, *path: Step) -> Fault:
        """The fault."""
        ...


@dataclass
class Names:
    """What the names of one site stand for, and the faults found so far."""

    site: SiteFile
    catalog: Catalog
    make_fault: FaultMaker
    power: Mapping[str, PowerEquipment]
    cooling: Mapping[str, CoolingEquipment]
    switches: Mapping[str, SwitchEquipment]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, message: str, *path: Step) -> None:
        """Note a fault."""
        self.faults.append(self.make_fault(message, *path))

    def known(self, what: str, name: str, names: Iterable[str], *path: Step) -> bool:
        """Note a fault unless the name is one of `names`; says whether it is."""
        allowed = set(names)
        if name not in allowed:
            self.fault(unknown(what, name, allowed), *path)
        return name in allowed

    def distinct(self, what: str, names: Sequence[str], *path: Step) -> None:
        """Note a fault for each name that stands earlier in the list."""
        for index, name in enumerate(names):
            if name in names[:index]:
                self.fault(f"{what} '{name}' stands here a second time; rename or remove one", *path, index, "name")

    def power_equipment(self, name: str, kind: ElementKind, *path: Step) -> None:
        """The name must be power equipment of this kind."""
        if not self.known("power equipment", name, self.power, *path):
            return
        actual = self.power[name].kind
        if actual is not kind:
            allowed = sorted(one.name for one in self.power.values() if one.kind is kind)
            self.fault(_wrong_kind(name, actual, kind, allowed), *path)
        if self.power[name].real is not None and self.power[name].power_factor.value != 1:
            self.fault(f"'{name}' has its plate in watts ('real'), so its 'power_factor' must be 1", *path)

    def bank(self, bank: CoolingBank, kinds: Sequence[CoolingKind], *path: Step) -> None:
        """A bank of cooling units of one of some kinds, fewer of them spare than there are."""
        if self.known("cooling equipment", bank.equipment, self.cooling, *path, "equipment"):
            actual = self.cooling[bank.equipment].kind
            if actual not in kinds:
                allowed = sorted(one.name for one in self.cooling.values() if one.kind in kinds)
                due = "' or '".join(kinds)
                self.fault(_wrong_kind(bank.equipment, actual, due, allowed), *path, "equipment")
        if bank.spares >= bank.count:
            message = f"found {bank.spares} spares of {bank.count} units; at least one unit must not be spare"
            self.fault(message, *path, "spares" if "spares" in bank.model_fields_set else "count")

    def powered(self, name: str, groups: Sequence[str], *path: Step) -> None:
        """A load hangs on elements; the service itself has no rating that could bound it."""
        if name == SERVICE:
            self.fault("'service' has no element that could carry this load; name a power group", *path)
        else:
            self.known("power group", name, groups, *path)

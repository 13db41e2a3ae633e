"""References inside a site file: every name that it uses must be defined, and be of the right kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sites.equipment import site_cooling_equipment, site_power_equipment, site_switch_equipment
from sites.nearest import unknown
from sites.schema.catalog import CoolingKind, ElementKind
from sites.schema.site import BlockRedundant, CommonBus, Distributed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sites.catalog.loader import Catalog
    from sites.explain import Step
    from sites.faults import Fault
    from sites.schema.catalog import CoolingEquipment, PowerEquipment, SwitchEquipment
    from sites.schema.site import (
        BuildingTemplate,
        CoolingBank,
        LineupBatch,
        LineupTemplate,
        Plant,
        PowerGroup,
        SiteFile,
    )

SERVICE = "service"


def _wrong_kind(name: str, actual: str, due: str, allowed: Sequence[str]) -> str:
    found = f"'{name}' is of kind '{actual}', but kind '{due}' is due here"
    return f"{found}; allowed: {', '.join(allowed) or 'none is defined'}"


class FaultMaker(Protocol):
    """Makes a fault of a message and a path of keys and list positions; `Document.fault` is one that knows lines."""

    def __call__(self, message: str, *path: Step) -> Fault:
        """The fault."""
        ...


def site_faults(site: SiteFile, catalog: Catalog, fault: FaultMaker) -> list[Fault]:
    """Every reference of a site file that does not resolve.

    Parameters: catalog, whose equipment the site may use beside its own; fault, makes a fault at a path of the file.
    """
    checker = _Checker(
        site,
        catalog,
        fault,
        site_power_equipment(site, catalog),
        site_cooling_equipment(site, catalog),
        site_switch_equipment(site, catalog),
    )
    checker.check_site()
    return checker.faults


@dataclass
class _Checker:
    """Collects the faults of one site."""

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

    def bank(self, bank: CoolingBank, kind: CoolingKind, *path: Step) -> None:
        """A bank of cooling units of one kind, fewer of them spare than there are."""
        if self.known("cooling equipment", bank.equipment, self.cooling, *path, "equipment"):
            actual = self.cooling[bank.equipment].kind
            if actual is not kind:
                allowed = sorted(one.name for one in self.cooling.values() if one.kind is kind)
                self.fault(_wrong_kind(bank.equipment, actual, kind, allowed), *path, "equipment")
        if bank.spares >= bank.count:
            message = f"found {bank.spares} spares of {bank.count} units; at least one unit must not be spare"
            self.fault(message, *path, "spares" if "spares" in bank.model_fields_set else "count")

    def check_site(self) -> None:
        """All references, from the campus down."""
        site = self.site
        self.distinct("power equipment", [one.name for one in site.equipment], "equipment")
        self.distinct("cooling equipment", [one.name for one in site.cooling_equipment], "cooling_equipment")
        self.distinct("switch", [one.name for one in site.switch_equipment], "switch_equipment")
        self.distinct("availability class", [one.name for one in site.availability], "availability")
        self.distinct("building", [one.name for one in site.buildings], "buildings")
        self.distinct("common-mode group", [one.name for one in site.common_mode], "common_mode")
        self.groups(site.power, (), ("power",))
        for name, lineup in site.lineup_templates.items():
            self.lineup_template(lineup, ("lineup_templates", name))
        for name, template in site.building_templates.items():
            self.building_template(template, ("building_templates", name))
        for index, building in enumerate(site.buildings):
            path = ("buildings", index, "template")
            self.known("building template", building.template, site.building_templates, *path)

    def groups(self, groups: Sequence[PowerGroup], campus: Sequence[str], path: tuple[Step, ...]) -> None:
        """Power groups of one list: distinct names, fed by a group above, dated once or for each member."""
        self.distinct("power group", [group.name for group in groups], *path)
        for index, group in enumerate(groups):
            above = [SERVICE, *campus, *(earlier.name for earlier in groups[:index])]
            if group.name == SERVICE:
                self.fault("a power group may not be called 'service'; rename it", *path, index, "name")
            self.feeder(group.fed_by, above, [later.name for later in groups[index:]], *path, index, "fed_by")
            self.power_equipment(group.equipment, group.kind, *path, index, "equipment")
            if len(group.in_service) not in {0, 1, group.count}:
                message = f"found {len(group.in_service)} quarters for {group.count} members; give one, or one for each"
                self.fault(message, *path, index, "in_service")

    def feeder(self, name: str, above: Sequence[str], below: Sequence[str], *path: Step) -> None:
        """A group is fed by one that stands above it, so that no circle can arise."""
        if name in below and name not in above:
            allowed = ", ".join(f"'{one}'" for one in above)
            self.fault(f"'{name}' does not stand above this group, so it cannot feed it; above are {allowed}", *path)
        else:
            self.known("power group", name, above, *path)

    def lineup_template(self, lineup: LineupTemplate, path: tuple[Step, ...]) -> None:
        """What a lineup template names on its own, wherever it stands."""
        classes = [one.name for one in self.site.availability]
        self.known("availability class", lineup.availability, classes, *path, "availability")
        for index, stage in enumerate(lineup.chain):
            self.power_equipment(stage.equipment, stage.kind, *path, "chain", index, "equipment")
        self.power_equipment(lineup.rows.busway, ElementKind.BUSWAY, *path, "rows", "busway")
        self.scheme(lineup, (*path, "scheme"))
        if lineup.liquid is not None:
            self.bank(lineup.liquid.cdus, CoolingKind.CDU, *path, "liquid", "cdus")
        self.bank(lineup.air.handlers, CoolingKind.AIR_HANDLER, *path, "air", "handlers")
        self.leaf_switches(lineup.fabric.leaf_switches, (*path, "fabric", "leaf_switches"))

    def leaf_switches(self, names: Sequence[str], path: tuple[Step, ...]) -> None:
        """At least one leaf switch, and each kind of host port once: one kind of leaf fills the places at a time."""
        if not names:
            self.fault("no leaf switch is named, so no rack could connect; name at least one", *path)
        kinds: set[str] = set()
        for index, name in enumerate(names):
            if not self.known("switch", name, self.switches, *path, index):
                continue
            kind = self.switches[name].port_kind
            if kind in kinds:
                self.fault(f"'{name}' offers the port kind '{kind}' once more; name one switch for each", *path, index)
            kinds.add(kind)

    def scheme(self, lineup: LineupTemplate, path: tuple[Step, ...]) -> None:
        """The equipment that a scheme adds, and a promise that its blocks can keep."""
        scheme = lineup.scheme
        if isinstance(scheme, CommonBus):
            self.power_equipment(scheme.bus, ElementKind.BUS, *path, "bus")
        elif isinstance(scheme, BlockRedundant):
            self.power_equipment(scheme.transfer_switch, ElementKind.TRANSFER_SWITCH, *path, "transfer_switch")
        elif isinstance(scheme, Distributed) and scheme.make >= scheme.blocks:
            message = f"found {scheme.make} of {scheme.blocks} blocks; fewer than all must make the load, e.g. 3 of 4"
            self.fault(message, *path, "make")

    def building_template(self, template: BuildingTemplate, path: tuple[Step, ...]) -> None:
        """A building's groups, plants and lineups."""
        campus = [group.name for group in self.site.power]
        self.groups(template.power, campus, (*path, "power"))
        groups = [*campus, *(group.name for group in template.power)]
        self.distinct("plant", [plant.name for plant in template.plants], *path, "plants")
        for index, plant in enumerate(template.plants):
            self.plant(plant, groups, (*path, "plants", index))
        for index, batch in enumerate(template.lineups):
            self.batch(batch, template, groups, (*path, "lineups", index))
        self.known("switch", template.spine_switch, self.switches, *path, "spine_switch")

    def powered(self, name: str, groups: Sequence[str], *path: Step) -> None:
        """A load hangs on elements; the service itself has no rating that could bound it."""
        if name == SERVICE:
            self.fault("'service' has no element that could carry this load; name a power group", *path)
        else:
            self.known("power group", name, groups, *path)

    def plant(self, plant: Plant, groups: Sequence[str], path: tuple[Step, ...]) -> None:
        """A plant rejects heat somehow, and hangs on a power group."""
        self.powered(plant.powered_by, groups, *path, "powered_by")
        if plant.rise <= 0:
            self.fault("the temperature rise of a plant must be above 0 K", *path, "rise")
        if plant.dry_coolers is None and plant.chillers is None:
            self.fault("a plant needs 'dry_coolers', 'chillers' or both; add them", *path)
        if plant.dry_coolers is not None:
            self.bank(plant.dry_coolers, CoolingKind.DRY_COOLER, *path, "dry_coolers")
        if plant.chillers is not None:
            self.bank(plant.chillers, CoolingKind.CHILLER, *path, "chillers")

    def batch(
        self, batch: LineupBatch, template: BuildingTemplate, groups: Sequence[str], path: tuple[Step, ...]
    ) -> None:
        """A batch of lineups: its template must find its groups and plants in this building."""
        if batch.occupied is not None:
            self.occupied(batch.occupied.configuration, (*path, "occupied", "configuration"))
        if not self.known("lineup template", batch.template, self.site.lineup_templates, *path, "template"):
            return
        lineup = self.site.lineup_templates[batch.template]
        plants = [plant.name for plant in template.plants]
        at = ("lineup_templates", batch.template)
        self.known("power group", lineup.fed_by, [SERVICE, *groups], *at, "fed_by")
        self.powered(lineup.fabric.support_powered_by, groups, *at, "fabric", "support_powered_by")
        for part, name in ((lineup.liquid, "liquid"), (lineup.air, "air")):
            if part is not None:
                self.known("plant", part.plant, plants, *at, name, "plant")
                self.powered(part.powered_by, groups, *at, name, "powered_by")
        if batch.occupied is not None and batch.occupied.racks_per_row > lineup.rows.positions:
            message = f"found {batch.occupied.racks_per_row} racks in rows of {lineup.rows.positions} positions"
            self.fault(message, *path, "occupied", "racks_per_row")

    def occupied(self, name: str, path: tuple[Step, ...]) -> None:
        """Racks that stand already must be of a configuration that the catalogue knows, planned or not."""
        try:
            self.catalog.configuration(name)
        except KeyError as error:
            self.fault(str(error.args[0]), *path)

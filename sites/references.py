"""References inside a site file: every name that it uses must be defined, and be of the right kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.equipment import site_cooling_equipment, site_power_equipment, site_switch_equipment
from sites.names import SERVICE, Names
from sites.schema.catalog import ElementKind
from sites.schema.cooling_equipment import COOLER_KINDS, WET_KINDS, CoolingKind
from sites.schema.power import BlockRedundant, CommonBus, Distributed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.catalog.loader import Catalog
    from sites.explain import Step
    from sites.faults import Fault
    from sites.names import FaultMaker
    from sites.schema.building import BuildingTemplate, LineupBatch
    from sites.schema.cooling import CoolingBank, Liquid, Plant
    from sites.schema.lineup import LineupTemplate
    from sites.schema.power import PowerGroup
    from sites.schema.site import SiteFile


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


class _Checker(Names):
    """Walks a site file from the campus down."""

    def check_site(self) -> None:
        """All references, from the campus down."""
        site = self.site
        self.distinct("power equipment", [one.name for one in site.equipment], "equipment")
        self.distinct("cooling equipment", [one.name for one in site.cooling_equipment], "cooling_equipment")
        self.distinct("switch", [one.name for one in site.switch_equipment], "switch_equipment")
        self.distinct("availability class", [one.name for one in site.availability], "availability")
        self.distinct("building", [one.name for one in site.buildings], "buildings")
        self.distinct("common-mode group", [one.name for one in site.common_mode], "common_mode")
        self.distinct("generation", [one.name for one in site.generation], "generation")
        self.distinct("battery", [one.name for one in site.batteries], "batteries")
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
            self.bank(lineup.liquid.cdus, (CoolingKind.CDU,), *path, "liquid", "cdus")
            self.pressure(lineup.liquid, (*path, "liquid", "manifold_drop"))
        self.bank(lineup.air.handlers, (CoolingKind.AIR_HANDLER,), *path, "air", "handlers")
        self.leaf_switches(lineup.fabric.leaf_switches, (*path, "fabric", "leaf_switches"))
        self.conversions(lineup, (*path, "conversions"))

    def pressure(self, liquid: Liquid, path: tuple[Step, ...]) -> None:
        """Where the manifold's drop is stated, the CDUs must state a head that leaves something for the racks."""
        equipment = self.cooling.get(liquid.cdus.equipment)
        if liquid.manifold_drop is None or equipment is None:
            return
        head_kpa = None if equipment.head is None else equipment.head.value
        if head_kpa is None:
            message = (
                f"'{equipment.name}' has no known 'head', so the pressure left for racks is unknown; give the head of "
                "these CDUs, or remove 'manifold_drop' and pressure is not asked"
            )
            self.fault(message, *path)
        elif head_kpa <= liquid.manifold_drop:
            message = (
                f"found {float(liquid.manifold_drop):g} kPa of the {float(head_kpa):g} kPa that '{equipment.name}' "
                "gives; nothing is left for racks, so choose a wider manifold or other CDUs"
            )
            self.fault(message, *path)

    def conversions(self, lineup: LineupTemplate, path: tuple[Step, ...]) -> None:
        """Names of conversions differ, and one switch stands for each kind of port, that of the block itself first."""
        self.distinct("conversion", [one.name for one in lineup.conversions], *path)
        known = [self.switches[name] for name in lineup.fabric.leaf_switches if name in self.switches]
        switch_of_kind = {switch.port_kind: switch.name for switch in known}
        own_kinds = set(switch_of_kind)
        for index, conversion in enumerate(lineup.conversions):
            at = (*path, index, "leaf_switches")
            if conversion.leaf_switches:
                self.leaf_switches(conversion.leaf_switches, at)
            for position, name in enumerate(conversion.leaf_switches):
                if name not in self.switches:
                    continue
                kind = self.switches[name].port_kind
                if kind in own_kinds:
                    self.fault(f"the block offers the port kind '{kind}' of '{name}' already; remove it", *at, position)
                elif switch_of_kind.setdefault(kind, name) != name:
                    first = switch_of_kind[kind]
                    message = f"an earlier conversion brings '{first}' for the port kind '{kind}'; name it here too"
                    self.fault(message, *at, position)

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
        self.storeys(template, (*path, "storeys"))
        self.known("switch", template.spine_switch, self.switches, *path, "spine_switch")

    def storeys(self, template: BuildingTemplate, path: tuple[Step, ...]) -> None:
        """Each storey once, and each of its halls one of the building's on this storey alone."""
        halls = {batch.hall for batch in template.lineups}
        storey_of: dict[str, int] = {}
        numbers = [storey.number for storey in template.storeys]
        for index, storey in enumerate(template.storeys):
            if storey.number in numbers[:index]:
                message = f"storey {storey.number} stands here a second time; join the entries or change the number"
                self.fault(message, *path, index, "number")
            for position, hall in enumerate(storey.halls):
                at = (*path, index, "halls", position)
                if self.known("hall", hall, halls, *at) and hall in storey_of:
                    message = f"hall '{hall}' is on storey {storey_of[hall]} already; a hall is on one, so remove one"
                    self.fault(message, *at)
                storey_of.setdefault(hall, storey.number)

    def plant(self, plant: Plant, groups: Sequence[str], path: tuple[Step, ...]) -> None:
        """A plant rejects heat somehow, and hangs on a power group."""
        self.powered(plant.powered_by, groups, *path, "powered_by")
        if plant.rise <= 0:
            self.fault("the temperature rise of a plant must be above 0 K", *path, "rise")
        if plant.coolers is None and plant.chillers is None:
            self.fault("a plant needs 'coolers', 'chillers' or both; add them", *path)
        if plant.coolers is not None:
            self.bank(plant.coolers, COOLER_KINDS, *path, "coolers")
            self.wet_bulb(plant.coolers, *path, "coolers", "equipment")
        if plant.chillers is not None:
            self.bank(plant.chillers, (CoolingKind.CHILLER,), *path, "chillers")

    def wet_bulb(self, coolers: CoolingBank, *path: Step) -> None:
        """Coolers that evaporate water need the wet bulb of the design day, which is not above its dry bulb."""
        climate, equipment = self.site.climate, self.cooling.get(coolers.equipment)
        if climate.design_wet_bulb is None and equipment is not None and equipment.kind in WET_KINDS:
            message = (
                f"'{equipment.name}' is of kind '{equipment.kind}', which cools towards the wet bulb, but 'climate' "
                "has no 'design_wet_bulb'; add it there, for example '25 degC', or choose dry coolers"
            )
            self.fault(message, *path)

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

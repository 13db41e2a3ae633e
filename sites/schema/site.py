"""A site file: what a site is, by templates with counts and dates."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sites import units
from sites.calendar import Quarter
from sites.schema.catalog import CoolingEquipment, ElementKind, PowerEquipment, SwitchEquipment
from sites.schema.common import CapacityStep, Model, Name, Provenance, QuarterRange, Text, ascending_steps

Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Steps = Annotated[tuple[CapacityStep, ...], AfterValidator(ascending_steps)]


class Location(Model):
    """Where the site is."""

    country: Text
    region: Text
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None


class Climate(Model):
    """The design day: the extreme hour for which plant is sized (n=20 years)."""

    design_dry_bulb: units.DegC
    recirculation: units.Kelvin
    """Warm air drawn back into the coolers, added to the dry bulb."""
    provenance: Provenance


class Service(Model):
    """The utility connection; its capacity is at the meter, losses and cooling included."""

    steps: Steps
    provenance: Provenance


class PowerGroup(Model):
    """`count` like elements at one level of the power chain."""

    name: Name
    kind: ElementKind
    equipment: Name
    """Name of power equipment in the catalogue, or in this site's own `equipment`."""
    count: Count = 1
    fed_by: Name
    """`service`, or a group named earlier in this list or, in a building, in the campus's list."""
    sharing: Literal["parallel", "matched"]
    """`parallel`: every member is fed by all members of `fed_by` in equal shares, and by the survivors when one
    fails (N+1 without a common bus element). `matched`: member i by member i modulo their count."""
    in_service: tuple[Quarter, ...] = ()
    """One quarter for each member, or one for all. Empty: with the building; a campus group must give it."""
    house_load: units.Watts = Field(default=0, validate_default=False)  # type: ignore[assignment]
    """Constant draw served by each member (lighting, controls, gate houses)."""
    provenance: Provenance


class CoolingBank(Model):
    """`count` like cooling units on one header, one of which may be out at the design day."""

    equipment: Name
    count: Count
    spares: Annotated[int, Field(strict=True, ge=0)] = 1
    """How many of them may be out at the design day."""


class Plant(Model):
    """Heat rejection of a building: dry coolers first, trim chillers for what the weather leaves over."""

    name: Name
    supply: units.DegC
    """Facility-water set-point."""
    rise: units.Kelvin
    pump_power_per_heat: units.Ratio
    dry_coolers: CoolingBank | None = None
    chillers: CoolingBank | None = None
    fixed_power: units.Watts
    powered_by: Name
    """Power group whose members carry fans, pumps and compressors in equal shares."""
    provenance: Provenance


class Dates(Model):
    """In service = the latest of utility, equipment, building and permit, plus commissioning (modes)."""

    utility: QuarterRange
    equipment: QuarterRange
    building: QuarterRange
    permit: QuarterRange
    commissioning_quarters: Annotated[int, Field(strict=True, ge=0, le=12)]


class NoRedundancy(Model):
    """Rows on one block each and nothing behind it: no UPS, no second feed (a UPS-less GPU hall)."""

    kind: Literal["none"]
    blocks: Count


class SingleBlocks(Model):
    """N: rows on one block each, with UPS; the load of a failed block is lost."""

    kind: Literal["n"]
    blocks: Count


class CommonBus(Model):
    """N+1 on a common bus: `blocks` share one output bus; the bus itself is a single point."""

    kind: Literal["n-plus-1-bus"]
    blocks: Annotated[int, Field(strict=True, ge=2)]
    bus: Name
    """Power equipment of the bus."""


class TwoN(Model):
    """2N: two blocks; every row draws half from each."""

    kind: Literal["2n"]


class BlockRedundant(Model):
    """Catcher: `active` blocks behind static transfer switches to one reserve block."""

    kind: Literal["block-redundant"]
    active: Count
    transfer_switch: Name
    """Power equipment of the switch before each active block's rows."""


class Distributed(Model):
    """Distributed redundant xN/y: rows on pairs of `blocks`, sized so that any one block may fail."""

    kind: Literal["distributed"]
    blocks: Annotated[int, Field(strict=True, ge=3, le=12)]
    make: Annotated[int, Field(strict=True, ge=2)]


Scheme = Annotated[
    NoRedundancy | SingleBlocks | CommonBus | TwoN | BlockRedundant | Distributed, Field(discriminator="kind")
]


class ChainStage(Model):
    """One element of each block's chain."""

    kind: ElementKind
    equipment: Name


class Taps(Model):
    """The whips of one rack on one feed; each carries its share of the rack."""

    count: Count
    current: units.Amperes
    voltage: units.Volts
    power_factor: units.Share
    continuous_factor: units.Share


class Rows(Model):
    """The rows of a lineup."""

    count: Count
    positions: Count
    pitch: units.Metres
    depth: units.Metres
    aisles: units.Metres
    """Half of the aisle before plus half of the aisle behind the row."""
    floor_uniform: units.KilogramsPerSquareMetre
    floor_point: units.KilogramsPerSquareMetre
    busway: Name
    """Power equipment of the busway on each feed of a row."""
    taps: Taps


class Liquid(Model):
    """The technology loop of a lineup and its CDU group on a shared manifold."""

    plant: Name
    supply: units.DegC
    """Technology-loop set-point; the CDU's approach above the plant's supply at the least."""
    rise: units.Kelvin
    coolant: Literal["water", "pg25"]
    cdus: CoolingBank
    powered_by: Name


class Air(Model):
    """The air side of a lineup: residual rack heat and network gear."""

    plant: Name
    handlers: CoolingBank
    powered_by: Name


class Fabric(Model):
    """The leaf group of a fabric block."""

    lineups_per_block: Count = 1
    leaf_positions: Count
    """Places for leaf switches; half of each leaf's ports face hosts (non-blocking)."""
    leaf_switches: tuple[Name, ...]
    """Switches that may fill the places, one for each kind of host port."""
    partial_units: bool
    """Whether a scalable unit may be left part empty (it pays for all its leaves)."""
    support_powered_by: Name
    """Power group whose members carry network and support gear in equal shares."""


class FailureKind(StrEnum):
    """What may fail: one element of a kind, or a common-mode group."""

    LINE = "line"
    MAIN_TRANSFORMER = "main-transformer"
    FEEDER = "feeder"
    SWITCHBOARD = "switchboard"
    UNIT_SUBSTATION = "unit-substation"
    UPS = "ups"
    BUS = "bus"
    TRANSFER_SWITCH = "transfer-switch"
    BUSWAY = "busway"
    COMMON_MODE = "common-mode"


COMMON_MODE = str(FailureKind.COMMON_MODE)
"""Kind of the failure of a common-mode group."""


class Availability(Model):
    """What the rows were promised when any single element, or any common-mode group, fails."""

    name: Name
    may_drop_on: tuple[FailureKind, ...] = ()
    """Kinds of element whose single failure may drop a row of this class; `common-mode`: the failure of a group."""
    provenance: Provenance


class CommonMode(Model):
    """Elements that one event takes out together: feeders in one duct bank, boards of one lineup."""

    name: Name
    """The failure is called by it, as `power:element:name` in limits."""
    members: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Ids of power elements (`b1/h1/l01/ups-2`), or ids without their number for all that are so numbered: `feeder`,
    `b1/feeder`, `b1/h1/l01/ups`."""
    provenance: Provenance


class RideThrough(Model):
    """What holds a rack on two feeds when one of them is lost and the shelves of the other carry it alone."""

    rule: Literal["cap", "refuse", "ignore"]
    """`cap`: a rack must draw no more than its shelves on one feed carry; profiles capped to that are welcome.
    `refuse`: the same, and no power cap is trusted with it. `ignore`: not asked, for the reason in the provenance."""
    provenance: Provenance


class LineupTemplate(Model):
    """A repeated unit of blocks, rows, cooling and fabric."""

    scheme: Scheme
    fed_by: Name
    """Power group above the chain: block i is fed by member i modulo its count."""
    chain: Annotated[tuple[ChainStage, ...], Field(min_length=1)]
    """The elements of each block from the top down, e.g. unit substation then UPS."""
    availability: Name
    ride_through: RideThrough | None = None
    """Due for schemes with two feeds to a row (`2n`, `distributed`), and only there."""
    rows: Rows
    liquid: Liquid | None = None
    """Missing: the rows are air-cooled only."""
    air: Air
    fabric: Fabric
    avoidable_capex: units.Usd
    """Charged when the lineup's first rack is placed; sunk capex is not entered."""
    provenance: Provenance

    @model_validator(mode="after")
    def _two_feeds_ride_through(self) -> LineupTemplate:
        dual = isinstance(self.scheme, (TwoN, Distributed))
        if dual and self.ride_through is None:
            msg = (
                f"rows of scheme '{self.scheme.kind}' hang on two feeds, so 'ride_through' must say what holds once "
                "one is lost; add it with the rule cap, refuse or ignore"
            )
            raise ValueError(msg)
        if not dual and self.ride_through is not None:
            msg = f"rows of scheme '{self.scheme.kind}' hang on one feed and drop with it; remove 'ride_through'"
            raise ValueError(msg)
        return self


class Occupied(Model):
    """Racks that stand in every row already and belong to someone; they use every limit and earn nothing."""

    owner: Text
    configuration: Text
    racks_per_row: Count


class LineupBatch(Model):
    """Like lineups in one hall."""

    template: Name
    count: Count
    hall: Name
    delay_quarters: Annotated[int, Field(strict=True, ge=0, le=40)] = 0
    """In service this long after the building."""
    occupied: Occupied | None = None


class BuildingTemplate(Model):
    """A repeated building."""

    power: tuple[PowerGroup, ...]
    plants: Annotated[tuple[Plant, ...], Field(min_length=1)]
    lineups: Annotated[tuple[LineupBatch, ...], Field(min_length=1)]
    spine_positions: Count
    spine_switch: Name
    provenance: Provenance


class Building(Model):
    """One building: a template with dates."""

    name: Name
    template: Name
    dates: Dates
    landing_racks_per_quarter: Count
    """What crews can land, from the quarter in service on."""
    available: bool = True
    """False: wholly someone else's; no row is offered (its occupied lineups still load every limit)."""
    provenance: Provenance


class SiteFile(Model):
    """A site."""

    format: Literal["gigaplan-site/1"]
    name: Name
    title: Text
    location: Location
    climate: Climate
    service: Service
    energy_price: units.UsdPerMegawattHour
    energy_price_provenance: Provenance
    equipment: tuple[PowerEquipment, ...] = ()
    """Power equipment of this site's own, in the catalogue's form; `source` is the citation or the reasoning itself."""
    cooling_equipment: tuple[CoolingEquipment, ...] = ()
    """Cooling units of this site's own."""
    switch_equipment: tuple[SwitchEquipment, ...] = ()
    """Network switches of this site's own."""
    availability: Annotated[tuple[Availability, ...], Field(min_length=1)]
    power: Annotated[tuple[PowerGroup, ...], Field(min_length=1)]
    """Campus level, from the meter down; the first group is fed by `service`."""
    common_mode: tuple[CommonMode, ...] = ()
    """Groups of elements that fail as one: each is one more failure beside those of single elements."""
    lineup_templates: dict[Name, LineupTemplate]
    building_templates: dict[Name, BuildingTemplate]
    buildings: Annotated[tuple[Building, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _campus_groups_are_dated(self) -> SiteFile:
        for group in self.power:
            if not group.in_service:
                msg = f"campus power group '{group.name}' needs 'in_service': one quarter, or one for each member"
                raise ValueError(msg)
        return self

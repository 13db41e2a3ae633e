"""A lineup template: its blocks, rows, loops and fabric, what may be converted, and how it answers failures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sites import units
from sites.schema.common import Count, Model, Name, Provenance
from sites.schema.cooling import Air, Liquid, UnitFeeds
from sites.schema.power import ChainStage, Distributed, Scheme, TwoN


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


class Fabric(Model):
    """The leaf group of a fabric block."""

    lineups_per_block: Count = 1
    leaf_positions: Count
    """Places for leaf switches; half of each leaf's ports face hosts (non-blocking)."""
    leaf_switches: tuple[Name, ...]
    """Switches that may fill the places, one for each kind of host port."""
    planes: Count
    """Rails or planes over which a rack spreads its ports; leaf i is in plane i modulo their count."""
    planes_needed: Count
    """How many whole planes a rack needs to go on with its work."""
    partial_units: bool
    """Whether a scalable unit may be left part empty (it pays for all its leaves)."""
    support_positions: Count
    """Rack places outside the rows for leaves, this block's share of the spine, storage, CPU and management racks."""
    support_powered_by: Name
    """Power group whose members carry network and support gear."""
    support_feeds: UnitFeeds
    """`all`: every leaf can draw from every member of `support_powered_by`. `matched`: leaf i hangs on member i modulo
    their count, and stops when that one is dead."""

    @model_validator(mode="after")
    def _planes_have_leaves(self) -> Fabric:
        if self.planes > self.leaf_positions:
            msg = (
                f"found {self.planes} planes over {self.leaf_positions} leaf positions; every plane needs a leaf, so "
                f"'planes' is at most {self.leaf_positions}"
            )
            raise ValueError(msg)
        if self.planes_needed > self.planes:
            msg = f"found {self.planes_needed} planes needed of {self.planes}; 'planes_needed' is at most {self.planes}"
            raise ValueError(msg)
        return self


class RideThrough(Model):
    """What holds a rack on two feeds when one of them is lost and the shelves of the other carry it alone."""

    rule: Literal["cap", "refuse", "ignore"]
    """`cap`: a rack must draw no more than its shelves on one feed carry; profiles capped to that are welcome.
    `refuse`: the same, and no power cap is trusted with it. `ignore`: not asked, for the reason in the provenance."""
    provenance: Provenance


class Flex(Model):
    """What racks give up after a failure, before the ratings of what is left run out of time."""

    sheddable: units.Share
    """Share of their power that is shut down."""
    cappable: units.Share
    """Share of their power that is capped."""
    cap_to: units.Share
    """What the capped part goes on drawing."""
    within: units.Seconds
    """How long it takes until all of it has acted."""
    provenance: Provenance

    @model_validator(mode="after")
    def _at_most_all(self) -> Flex:
        if self.sheddable + self.cappable > 1:
            msg = (
                f"found {float(self.sheddable):g} sheddable and {float(self.cappable):g} cappable, "
                f"{float(self.sheddable + self.cappable):g} together; at most 1 is allowed, since no watt is both"
            )
            raise ValueError(msg)
        return self


class Conversion(Model):
    """What could be changed in a row so that it takes systems that it does not take as it stands."""

    name: Name
    taps: Taps | None = None
    """New whips, in place of the row's."""
    leaf_switches: tuple[Name, ...] = ()
    """Further leaf switches, for kinds of host port that the block does not offer."""
    floor_uniform: units.KilogramsPerSquareMetre | None = None
    """What the floor carries then, whatever row and storey carry as they stand."""
    floor_point: units.KilogramsPerSquareMetre | None = None
    cost_per_position: units.Usd
    quarters: Annotated[int, Field(strict=True, ge=0, le=40)]
    """How much later the row can take racks of the system."""
    provenance: Provenance

    @model_validator(mode="after")
    def _changes_something(self) -> Conversion:
        if self.taps is None and not self.leaf_switches and self.floor_uniform is None and self.floor_point is None:
            msg = (
                f"the conversion '{self.name}' changes nothing; give one of 'taps', 'leaf_switches', 'floor_uniform' "
                "and 'floor_point', or remove it"
            )
            raise ValueError(msg)
        return self


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
    flex: Flex | None = None
    """Missing: racks draw in full after a failure too."""
    rows: Rows
    conversions: tuple[Conversion, ...] = ()
    """Tried in this order for a system that the rows do not take as they stand; the first that admits it applies."""
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

"""The catalogue: rack systems with their power profiles, and facility equipment."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from sites import units
from sites.schema.common import Model, Name, Sourced, Text
from sites.schema.cooling_equipment import CoolingEquipment
from sites.schema.economics import Economics
from sites.schema.media import Cabling, Medium, Wiring
from sites.schema.throughput import ThroughputBasis

if TYPE_CHECKING:
    from fractions import Fraction


class ElementKind(StrEnum):
    """Kinds of power element, from the meter down to the row."""

    LINE = "line"
    MAIN_TRANSFORMER = "main-transformer"
    FEEDER = "feeder"
    SWITCHBOARD = "switchboard"
    UNIT_SUBSTATION = "unit-substation"
    UPS = "ups"
    BUS = "bus"
    TRANSFER_SWITCH = "transfer-switch"
    BUSWAY = "busway"


class Losses(Model):
    """Loss as a fraction of rating at load x (fraction of rating): no_load + linear·x + quadratic·x²."""

    no_load: Sourced[units.Share]
    linear: Sourced[units.Share]
    quadratic: Sourced[units.Share]


class PowerEquipment(Model):
    """One power element's rating: watts = plate · power factor · derating · continuous factor, rounded down.

    The plate is `apparent` (VA), or `current` with `voltage` (A·√3·V), or `real` (W, power factor 1).
    """

    name: Name
    title: Text
    kind: ElementKind
    apparent: Sourced[units.VoltAmperes] | None = None
    real: Sourced[units.Watts] | None = None
    current: Sourced[units.Amperes] | None = None
    voltage: Sourced[units.Volts] | None = None
    power_factor: Sourced[units.Share]
    derating: Sourced[units.Share]
    """Ambient and altitude derating at the design day; 1 must be stated with its reason."""
    continuous_factor: Sourced[units.Share]
    """0.8 for breakers, busways, taps and conductors unless listed 100 %-rated; 1 for transformers, UPS, generators."""
    losses: Losses
    emergency_rating: Sourced[units.Overload] | None = None
    """Share of the rating (1 or more) that it carries until a failed element elsewhere is back; missing or null: 1."""
    short_time_rating: Sourced[units.Overload] | None = None
    """Share of the rating that it carries for `short_time_duration`; missing or null: the emergency rating."""
    short_time_duration: Sourced[units.Seconds] | None = None
    """How long it carries the short-time rating; due with that one."""
    lead_time_weeks: Sourced[units.Ratio] | None = None

    @model_validator(mode="after")
    def _one_plate(self) -> PowerEquipment:
        plates = [self.apparent is not None, self.real is not None, self.current is not None]
        if sum(plates) != 1 or (self.current is None) != (self.voltage is None):
            msg = "give exactly one plate: 'apparent', 'real', or 'current' with 'voltage'"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _ratings_ascend(self) -> PowerEquipment:
        if (self.short_time_rating is None) != (self.short_time_duration is None):
            keys = ("short_time_rating", "short_time_duration")
            found, missing = keys if self.short_time_duration is None else keys[::-1]
            msg = f"found '{found}' without '{missing}'; give both, or neither"
            raise ValueError(msg)
        emergency = None if self.emergency_rating is None else self.emergency_rating.value
        short_time = None if self.short_time_rating is None else self.short_time_rating.value
        if emergency is not None and short_time is not None and short_time < emergency:
            msg = (
                f"found 'short_time_rating' {float(short_time):g} below 'emergency_rating' {float(emergency):g}; what "
                "is carried for a short time is at least what is carried for long"
            )
            raise ValueError(msg)
        return self


class SwitchEquipment(Model):
    """A network switch: how many ports of which kind it has and what it draws."""

    name: Name
    title: Text
    port_kind: Name
    """Kind of host port that this switch offers, e.g. `xdr-800g`."""
    ports: Sourced[Annotated[int, Field(ge=1)]]
    port_speed: Sourced[units.BitsPerSecond]
    power: Sourced[units.Watts]


class Profile(Model):
    """A power profile of a rack system."""

    name: Name
    """`standard`, or `max-q` and `max-p`; the configuration is `system/profile`, or just `system` for `standard`."""
    enabled: bool = True
    capped_to_ride_through: bool = False
    """True: a power cap holds the rack at what its shelves carry once one of two feeds is lost."""
    sustained_max: Sourced[units.Watts]
    """Sizes whip to transformer, meter demand and heat."""
    peak: Sourced[units.Watts]
    peak_duration: Sourced[units.Seconds]
    average_training: Sourced[units.Share]
    """Average draw as a share of `sustained_max`; energy, water and their money only."""
    average_inference: Sourced[units.Share]
    idle: Sourced[units.Share]
    liquid_share: Sourced[units.Share]
    """Share of the rack's heat that leaves by liquid; the rest by air."""
    support_power: Sourced[units.Watts]
    """This rack's share of leaf, spine, storage and management outside the rack; not on the row's busway."""
    performance: Sourced[units.Ratio]
    """Factor on the rental price; 1 at the system's highest profile."""


class RackSystem(Model):
    """One rack system: identity, compute, needs of a row, and its profiles."""

    name: Name
    title: Text
    generation: Name
    """`grace-blackwell`, `vera-rubin`, ...; the unit of colour and of totals."""
    vendor: Name | None = None
    """Who sells it; missing: not known, and no clause can name its vendor."""
    enabled: bool
    disabled_reason: Text | None = None
    gpu_packages: Sourced[Annotated[int, Field(ge=1)]]
    gpu_dies: Sourced[Annotated[int, Field(ge=1)]]
    cpus: Sourced[Annotated[int, Field(ge=1)]]
    memory_per_gpu: Sourced[units.Bytes]
    memory_bandwidth_per_gpu: Sourced[units.BytesPerSecond]
    nvfp4_dense_per_gpu: Sourced[units.Flops]
    fp8_dense_per_gpu: Sourced[units.Flops]
    bf16_dense_per_gpu: Sourced[units.Flops]
    scale_up_per_gpu: Sourced[units.BytesPerSecond]
    energy_storage_per_gpu: Sourced[units.Joules]
    swing_smoothing: Sourced[units.Share]
    """Share of a step of its load that the rack's own storage and controls keep from the supply; null where nobody has
    published it: then a site that limits the swing cannot take the system."""
    max_supply: Sourced[units.DegC]
    """Warmest technology-loop supply that the rack takes."""
    rise: Sourced[units.Kelvin]
    """Design temperature rise; its flow is heat / (density · heat capacity · rise)."""
    pressure_drop: Sourced[units.Kilopascals]
    """Pressure lost over the rack at its design flow; null where it is not published: then a row that states what its
    loop has to give cannot take the system."""
    weight: Sourced[units.Kilograms]
    footprint: Sourced[units.SquareMetres]
    positions: Sourced[Annotated[int, Field(ge=1)]]
    input_voltage_low: Sourced[units.Volts]
    input_voltage_high: Sourced[units.Volts]
    """Three-phase line voltages (AC) that the power shelves accept, lowest and highest."""
    power_shelves: Sourced[Annotated[int, Field(ge=1)]]
    power_shelf_rating: Sourced[units.Watts]
    """What one power shelf carries with all its supplies."""
    power_shelves_per_feed: Sourced[Annotated[int, Field(ge=1)]]
    """How many of them hang on each feed of a row with two."""
    port_kind: Name
    """Kind of host port: fabric blocks hold one generation and one kind of port."""
    ports: Sourced[Annotated[int, Field(ge=1)]]
    """Host ports of `port_kind` for each rack."""
    port_speed: Sourced[units.BitsPerSecond]
    scalable_unit_racks: Sourced[Annotated[int, Field(ge=1)]]
    support_positions_per_unit: Sourced[units.Ratio]
    """Rack places outside the rows that leaves, spine share, storage, CPU and management of one scalable unit take."""
    price: Sourced[units.Usd]
    network_price: Sourced[units.Usd]
    """Leaf, spine and optics for each rack of a full scalable unit."""
    rental: Sourced[units.UsdPerGpuHour]
    lead_time_quarters: Sourced[units.Ratio]
    profiles: Annotated[tuple[Profile, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _disabled_says_why(self) -> RackSystem:
        if self.enabled == (self.disabled_reason is not None):
            msg = "a disabled system needs 'disabled_reason', and only a disabled one has it"
            raise ValueError(msg)
        return self

    @property
    def ride_through_w(self) -> Fraction | None:
        """What the shelves of one feed carry when the other of two is lost, in W; None when a figure is unknown."""
        rating_w, n_shelves = self.power_shelf_rating.value, self.power_shelves_per_feed.value
        return None if rating_w is None or n_shelves is None else rating_w * n_shelves

    @model_validator(mode="after")
    def _shelves_fit(self) -> RackSystem:
        total, each = self.power_shelves.value, self.power_shelves_per_feed.value
        if total is not None and each is not None and 2 * each > total:
            msg = f"found {each} power shelves on each of two feeds and {total} in all; at most {total // 2} fit"
            raise ValueError(msg)
        for profile in self.profiles:
            capped_w, most_w = profile.sustained_max.value, self.ride_through_w
            if profile.capped_to_ride_through and (most_w is None or capped_w != most_w):
                carried = "an unknown load" if most_w is None else f"{int(most_w):,} W"
                msg = (
                    f"the profile '{profile.name}' is capped to the ride-through, so its 'sustained_max' must be what "
                    f"the shelves of one feed carry: {carried}"
                )
                raise ValueError(msg)
        return self


class CatalogFile(Model):
    """One file of the catalogue: a family of entries and the sources that they cite."""

    format: Annotated[str, Field(pattern=r"^gigaplan-catalog/1$")]
    sources: dict[str, Text]
    rack_systems: tuple[RackSystem, ...] = ()
    power: tuple[PowerEquipment, ...] = ()
    cooling: tuple[CoolingEquipment, ...] = ()
    switches: tuple[SwitchEquipment, ...] = ()
    media: tuple[Medium, ...] = ()
    cabling: tuple[Cabling, ...] = ()
    wirings: tuple[Wiring, ...] = ()
    throughput: tuple[ThroughputBasis, ...] = ()
    economics: tuple[Economics, ...] = ()

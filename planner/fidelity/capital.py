"""Capital: what racks, network and facility of a gigawatt cost."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from planner.fidelity.computation import KILO, Computation
from planner.fidelity.power import Support, gpus_of, rack_w
from planner.fidelity.reader import Case
from sites import units
from sites.schema.common import Name
from sites.schema.economics import FacilityCost, PowerBasis, PowerUse, RackQuote

if TYPE_CHECKING:
    from planner.fidelity.reader import Reader

POWER_USE = "liquid-cooled-campus"


def rack_usd(reader: Reader, configuration: str, quote: str | None) -> Fraction:
    """Price of a rack: the system's own, or what one source quotes."""
    if quote is not None:
        entry = reader.economic(quote, RackQuote)
        return reader.number(f"{quote}.price", entry.price)
    system = reader.configuration(configuration).system
    return reader.number(f"{system.name}.price", system.price)


def network_usd(reader: Reader, configuration: str) -> Fraction:
    """Leaf, spine and optics of a rack."""
    system = reader.configuration(configuration).system
    return reader.number(f"{system.name}.network_price", system.network_price)


def annual_pue(reader: Reader) -> Fraction:
    """Annual PUE of the catalogue."""
    return reader.number(f"{POWER_USE}.annual_pue", reader.economic(POWER_USE, PowerUse).annual_pue)


def facility_usd_per_it_w(reader: Reader, facility: str, pue: Fraction | None = None) -> Fraction:
    """Everything but servers and network for each watt of IT.

    Parameters: facility, entry of the catalogue; pue, by which a cost for each watt at the meter is multiplied
    (missing: the catalogue's annual PUE).
    """
    entry = reader.economic(facility, FacilityCost)
    cost = reader.number(f"{facility}.cost", entry.cost)
    if entry.basis is PowerBasis.IT:
        return cost
    return cost * (annual_pue(reader) if pue is None else pue)


class CapitalPerGigawatt(Computation):
    """Capital for a gigawatt: its racks at their price, their network, and the facility around them."""

    kind: Literal["capital-per-gigawatt"]
    configuration: str
    basis: PowerBasis
    """Which gigawatt the source means."""
    pue: units.Overload = Fraction(1)
    """Meter over IT, where either the gigawatt or the facility's cost is counted at the meter."""
    support: Support = Case.VALUE
    quote: Name | None = None
    """A source's price of the rack; missing: the system's own."""
    racks: bool = True
    network: bool = True
    facility: Name | None = None
    """Entry of the catalogue; missing: IT alone."""

    @property
    def unit(self) -> str:
        """Billions of dollars for a gigawatt."""
        return "B USD/GW"

    def compute(self, reader: Reader) -> Fraction:
        """Cost for each watt of IT, over the PUE where the gigawatt is counted at the meter."""
        watts = rack_w(reader, self.configuration, self.support)
        usd_per_it_w = Fraction(0)
        if self.racks:
            usd_per_it_w += rack_usd(reader, self.configuration, self.quote) / watts
        if self.network:
            usd_per_it_w += network_usd(reader, self.configuration) / watts
        if self.facility is not None:
            usd_per_it_w += facility_usd_per_it_w(reader, self.facility, self.pue)
        return usd_per_it_w / (self.pue if self.basis is PowerBasis.METER else 1)


class FacilityPerWatt(Computation):
    """An entry of the catalogue for what a facility costs, as another source has it."""

    kind: Literal["facility-per-watt"]
    facility: Name

    @property
    def unit(self) -> str:
        """Dollars for each watt."""
        return "USD/W"

    def compute(self, reader: Reader) -> Fraction:
        """The entry's value on its own basis."""
        return reader.number(f"{self.facility}.cost", reader.economic(self.facility, FacilityCost).cost)


class ItCapitalPerWatt(Computation):
    """Rack and network over the rack's own sustained power."""

    kind: Literal["it-capital-per-watt"]
    configuration: str

    @property
    def unit(self) -> str:
        """Dollars for each watt."""
        return "USD/W"

    def compute(self, reader: Reader) -> Fraction:
        """Price over power."""
        usd = rack_usd(reader, self.configuration, None) + network_usd(reader, self.configuration)
        return usd / rack_w(reader, self.configuration, "none")


class RackPricePerGpu(Computation):
    """Price of a rack over its GPU packages."""

    kind: Literal["rack-price-per-gpu"]
    configuration: str

    @property
    def unit(self) -> str:
        """Thousands of dollars for each GPU."""
        return "k USD/GPU"

    def compute(self, reader: Reader) -> Fraction:
        """Price over GPUs."""
        return rack_usd(reader, self.configuration, None) / gpus_of(reader, self.configuration) / KILO

"""What a gigawatt and a GPU-hour cost: annuities, energy, upkeep."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from planner.fidelity.capital import POWER_USE, annual_pue, facility_usd_per_it_w, network_usd, rack_usd
from planner.fidelity.computation import HOURS_PER_YEAR, MEGA, Computation
from planner.fidelity.power import Support, gpus_of, rack_w
from planner.fidelity.reader import Case
from sites import units
from sites.schema.common import Name
from sites.schema.economics import AssetLife, EnergyPrice, InterestRate, Maintenance, PowerUse

if TYPE_CHECKING:
    from planner.fidelity.reader import Reader

SERVERS, NETWORK, FACILITY = "life-of-servers", "life-of-network", "life-of-facility"
PRICE, UPKEEP = "industrial-price-us", "upkeep-of-plant"


def annuity(rate: Fraction, years: Fraction) -> Fraction:
    """Yearly payment for one dollar over some years: r / (1 − (1 + r)^−n), and 1/n without interest.

    Parameters: rate for a year; years, whole or not (then by a float64 power).
    """
    if rate == 0:
        return 1 / years
    growth = (1 + rate) ** int(years) if years.denominator == 1 else Fraction(float(1 + rate) ** float(years))
    return rate / (1 - 1 / growth)


class Terms(Computation):
    """Terms on which a source, or we, spread capital over years."""

    interest: Name | None = None
    """Entry of the catalogue; missing: straight over the life, without interest."""
    it_years: units.Ratio | None = None
    """Life of servers and network that the source states; missing: those of the catalogue."""
    facility_years: units.Ratio | None = None
    """Life of the facility that the source states; missing: that of the catalogue."""

    def rate(self, reader: Reader) -> Fraction:
        """Interest for a year, 0 without."""
        if self.interest is None:
            return Fraction(0)
        entry = reader.economic(self.interest, InterestRate)
        return reader.number(f"{self.interest}.rate_per_year", entry.rate_per_year)

    def life_years(self, reader: Reader, name: str) -> Fraction:
        """Life of a class of assets: the source's where it states one."""
        stated = self.facility_years if name == FACILITY else self.it_years
        if stated is not None:
            return stated
        return reader.number(f"{name}.life_years", reader.economic(name, AssetLife).life_years)


class CapitalPerYear(Terms):
    """Capital of a gigawatt of IT spread over the lives of its parts."""

    kind: Literal["capital-per-year"]
    configuration: str
    support: Support = Case.VALUE
    network: bool = True
    facility: Name | None = None
    """Entry of the catalogue; missing: IT alone."""

    @property
    def unit(self) -> str:
        """Billions of dollars for a gigawatt and year."""
        return "B USD/GW/year"

    def compute(self, reader: Reader) -> Fraction:
        """Sum of annuities for each watt of IT."""
        watts, rate = rack_w(reader, self.configuration, self.support), self.rate(reader)
        racks_usd = rack_usd(reader, self.configuration, None) / watts
        yearly_usd = racks_usd * annuity(rate, self.life_years(reader, SERVERS))
        if self.network:
            each_usd = network_usd(reader, self.configuration) / watts
            yearly_usd += each_usd * annuity(rate, self.life_years(reader, NETWORK))
        if self.facility is not None:
            each_usd = facility_usd_per_it_w(reader, self.facility)
            yearly_usd += each_usd * annuity(rate, self.life_years(reader, FACILITY))
        return yearly_usd


class Running(Computation):
    """What one watt of IT costs to run for a year, with what a source states of it."""

    pue: units.Overload | None = None
    """Annual PUE that the source states; missing: the catalogue's."""
    average_share: units.Share | None = None
    """Average over connected IT power that the source states; missing: the catalogue's."""

    def energy_usd_per_it_w(self, reader: Reader) -> Fraction:
        """Energy of a year for each watt of IT connected: share · PUE · hours · price."""
        pue, share = self.pue or annual_pue(reader), self.average_share
        if share is None:
            figure = reader.economic(POWER_USE, PowerUse).average_share
            share = reader.number(f"{POWER_USE}.average_share", figure)
        price = reader.number(f"{PRICE}.price", reader.economic(PRICE, EnergyPrice).price)
        return share * pue * HOURS_PER_YEAR * price / MEGA

    def upkeep_usd_per_it_w(self, reader: Reader, facility: str) -> Fraction:
        """Upkeep of a year for each watt of IT: facility cost · share of machinery · share a year."""
        upkeep = reader.economic(UPKEEP, Maintenance)
        machinery = reader.number(f"{UPKEEP}.machinery_share", upkeep.machinery_share)
        yearly = reader.number(f"{UPKEEP}.share_per_year", upkeep.share_per_year)
        return facility_usd_per_it_w(reader, facility) * machinery * yearly


class RunningPerYear(Running):
    """Energy of a gigawatt of IT for a year, and upkeep of its plant where a facility is named."""

    kind: Literal["running-per-year"]
    facility: Name | None = None
    """Entry of the catalogue whose machinery is kept up; missing: energy alone."""

    @property
    def unit(self) -> str:
        """Billions of dollars for a gigawatt and year."""
        return "B USD/GW/year"

    def compute(self, reader: Reader) -> Fraction:
        """Energy and upkeep for each watt of IT."""
        energy_usd = self.energy_usd_per_it_w(reader)
        return energy_usd if self.facility is None else energy_usd + self.upkeep_usd_per_it_w(reader, self.facility)


class CostPerGpuHour(Terms, Running):
    """What an owner pays for an hour of a GPU: rack, network and facility by annuity, energy and upkeep."""

    kind: Literal["cost-per-gpu-hour"]
    configuration: str
    facility: Name
    quote: Name | None = None
    """A source's price of the rack; missing: the system's own."""
    network: bool = True
    it_interest: bool = True
    """Whether servers and network bear interest; the facility does wherever `interest` is named."""
    utilisation: units.Share = Fraction(1)
    """Share of hours that pay; 1: every hour of the year."""

    @property
    def unit(self) -> str:
        """Dollars for an hour of a GPU."""
        return "USD/GPU/h"

    def compute(self, reader: Reader) -> Fraction:
        """Yearly cost of a rack over its GPUs and the hours that pay."""
        rate, watts = self.rate(reader), rack_w(reader, self.configuration, Case.VALUE)
        it_rate = rate if self.it_interest else Fraction(0)
        yearly_usd = rack_usd(reader, self.configuration, self.quote) * annuity(
            it_rate, self.life_years(reader, SERVERS)
        )
        if self.network:
            each_usd = network_usd(reader, self.configuration)
            yearly_usd += each_usd * annuity(it_rate, self.life_years(reader, NETWORK))
        usd_per_w = facility_usd_per_it_w(reader, self.facility)
        usd_per_w *= annuity(rate, self.life_years(reader, FACILITY))
        usd_per_w += self.energy_usd_per_it_w(reader) + self.upkeep_usd_per_it_w(reader, self.facility)
        hours = HOURS_PER_YEAR * self.utilisation
        return (yearly_usd + watts * usd_per_w) / gpus_of(reader, self.configuration) / hours

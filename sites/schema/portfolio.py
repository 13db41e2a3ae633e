"""A portfolio file: which sites and how much of each is ours, supply, money, contract and envelope."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sites import units
from sites.calendar import Quarter, quarter_index
from sites.schema.books import Books
from sites.schema.common import Model, Name, Provenance, Steps, Text
from sites.schema.objective import ObjectiveChoice
from sites.schema.refresh import Refresh
from sites.schema.terms import Commitment, Floor, Share, Termination, Tranche
from sites.schema.throughput import CoDesignGain, GainCase, Goodput, SoftwareGains
from sites.schema.workload import Workloads


class SiteEntry(Model):
    """A site and the buildings of it that are ours to fill."""

    site: Text
    """Name of a site of the library, or a path relative to this file."""
    buildings: tuple[Name, ...] | None = None
    """Names of the buildings that we may use; missing: every building marked available."""
    provenance: Provenance


class Opening(Model):
    """Buildings of one site that are opened together: at a cost, not before a quarter, or not at all."""

    name: Name
    site: Name
    """Name of a site of the portfolio."""
    buildings: tuple[Name, ...] | None = None
    """Buildings that this opens; missing: all of the site that are ours."""
    cost: units.Usd
    """Due in the quarter in which the first rack stands in one of them, and only then."""
    earliest: Quarter | None = None
    """No rack stands in them before; missing: their own dates decide."""
    provenance: Provenance


class Envelope(Model):
    """The largest joint power of all sites, at the design day."""

    basis: Literal["meter", "it"]
    steps: Steps
    provenance: Provenance


class Delivery(Model):
    """Racks that arrive in a quarter."""

    quarter: Quarter
    racks: Annotated[int, Field(strict=True, ge=0)]


class Supply(Model):
    """Deliveries of one rack system; a system without supply cannot be placed."""

    system: Name
    deliveries: Annotated[tuple[Delivery, ...], Field(min_length=1)]
    committed: bool = Field(default=False, strict=True)
    """Whether racks are paid for as they are delivered, placed or not; else those that are placed are bought."""
    order_lead_quarters: Annotated[int, Field(strict=True, ge=0, le=12)] | None = None
    """Quarters from order to delivery; missing: the latest orders are not reported."""
    provenance: Provenance

    @model_validator(mode="after")
    def _sorted(self) -> Supply:
        quarters = [quarter_index(d.quarter) for d in self.deliveries]
        if any(a >= b for a, b in pairwise(quarters)):
            found = ", ".join(delivery.quarter for delivery in self.deliveries)
            msg = f"found {found}; deliveries of '{self.system}' must be in order of quarter, each quarter once"
            raise ValueError(msg)
        return self


class SystemMoney(Model):
    """Money of one system; every missing key takes the catalogue's sourced mode."""

    system: Name
    rack_price: units.Usd | None = None
    network_price: units.Usd | None = None
    rental: units.UsdPerGpuHour | None = None
    """Contract price for a GPU-hour in the first quarter of the plan, at performance factor 1."""
    provenance: Provenance | None = None


class Payment(Model):
    """A part of a rack's price and when it is due."""

    share: units.Share
    offset_quarters: Annotated[int, Field(strict=True, ge=-12, le=12)]
    """From the start of the rack; below 0 for deposits, which are due in the plan's first quarter at the earliest."""


def whole_price(payments: tuple[Payment, ...]) -> tuple[Payment, ...]:
    """Refuse payments that are not the whole price, or are out of order."""
    offsets = [payment.offset_quarters for payment in payments]
    if any(a >= b for a, b in pairwise(offsets)):
        msg = f"found offsets {', '.join(map(str, offsets))}; payments ascend by offset, each quarter once"
        raise ValueError(msg)
    total = sum(payment.share for payment in payments)
    if payments and total != 1:
        msg = f"found shares that sum to {float(total):g}; they must sum to 1, the whole price"
        raise ValueError(msg)
    return payments


class Money(Model):
    """What a rack earns and costs."""

    discount_rate_per_year: units.Share
    rental_decline_per_year: units.Share
    """Fall of every rental price for each year after the plan's first quarter."""
    utilisation: units.Share
    """Share of hours that are sold."""
    market_factor: units.Share
    """Rental beyond the contract as a share of the contract price."""
    workload: Literal["training", "inference"]
    """Which average power the energy bill takes."""
    annual_pue: units.Ratio
    """Annual average facility energy over IT energy; energy money only, never a power limit."""
    opex_per_it_watt_year: units.UsdPerWatt
    """Operations without energy, for each watt of sustained rack power and year."""
    economic_life_quarters: Annotated[int, Field(strict=True, ge=1, le=60)]
    acceptance_lag_quarters: Annotated[int, Field(strict=True, ge=0, le=4)]
    rack_budget: units.Usd | None = None
    """Cumulative spend on racks; missing: no budget limit, and the report says so."""
    payment_terms: Annotated[tuple[Payment, ...], AfterValidator(whole_price)] = ()
    """When the price of a rack is paid; missing: all at its start."""
    residual: units.Share = Fraction(0)
    """Share of the price that a rack brings at the end of its economic life."""
    storage_share_per_quarter: units.Share | None = None
    """What keeping a delivered rack unplaced costs each quarter, as a share of its price; due where a supply is
    committed."""
    systems: tuple[SystemMoney, ...] = ()
    provenance: Provenance


class Contract(Model):
    """A purchase commitment in the provider's books: revenue at the full rental until it is used up."""

    amount: units.Usd
    provenance: Provenance


class Perspective(StrEnum):
    """Whose money decides."""

    PROVIDER = "provider"
    """Who owns the racks and rents them out."""
    CHAIN = "chain"
    """Owner and user together: racks cost, and what they work for pays."""
    CUSTOMER = "customer"
    """Who rents racks, and is paid for what they work for."""


class PortfolioFile(Model):
    """A portfolio."""

    format: Literal["gigaplan-portfolio/1"]
    name: Name
    title: Text
    perspective: Perspective
    """Whose money decides."""
    objective: ObjectiveChoice | None = None
    """What the plan is to be best at; missing: `npv`, what it is worth."""
    start: Quarter
    periods: Annotated[int, Field(strict=True, ge=1, le=64)]
    decisions_until: Quarter | None = None
    """Last quarter in which a rack may be placed or a profile chosen; missing: the last period."""
    sites: Annotated[tuple[SiteEntry, ...], Field(min_length=1)]
    openings: tuple[Opening, ...] = ()
    """Sites and phases that the plan opens where they pay for it."""
    configurations: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Configurations to choose from, e.g. `gb300-nvl72` or `vr-nvl72/max-q`."""
    envelope: Envelope
    supply: Annotated[tuple[Supply, ...], Field(min_length=1)]
    money: Money
    books: Books | None = None
    """Missing: books before tax, with the catalogue's lives of assets."""
    throughput_files: tuple[Text, ...] = ()
    """Paths, relative to this file, of a pilot's measurements (CSV), which take the place of the catalogue's points of
    the same basis and system."""
    contract: Contract | None = None
    floors: tuple[Floor, ...] = ()
    """What must stand or be served at the least, quarter by quarter, and what a shortfall costs."""
    shares: tuple[Share, ...] = ()
    """Concentration and exclusivity: how much of the plan a part of it may or must be."""
    tranches: tuple[Tranche, ...] = ()
    """Instalments that a milestone unlocks."""
    commitments: tuple[Commitment, ...] = ()
    """Take or pay."""
    termination: tuple[Termination, ...] = ()
    """What leaving a commitment costs."""
    refresh: tuple[Refresh, ...] = ()
    """Racks that may make way for others later; missing: racks stay where they stand."""
    workloads: Workloads = ()
    """What the racks work for; missing: they are rented out, whatever their work."""
    software_gains: SoftwareGains = ()
    gain_case: GainCase = GainCase.MODE
    """Which value of every software gain counts."""
    co_design_gains: tuple[CoDesignGain, ...] = ()
    goodput: Goodput | None = None
    """Due with workloads."""

"""The service node: what a site may draw over time, of what kinds it is, and what it costs."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sites.supply import (
    capacity_steps,
    firm_steps,
    generation_w,
    minimum_demand_steps,
    non_firm_steps,
    swing_steps,
    total_steps,
)

if TYPE_CHECKING:
    from sites.schema.site import SiteFile


def service_fields(site: SiteFile) -> dict[str, object]:
    """Fields of the service node (section 1 of `docs/model.md`)."""
    service, made = site.service, generation_w(site)
    return {
        "capacity_steps": capacity_steps(site),
        "firm_steps": firm_steps(site),
        "non_firm_steps": non_firm_steps(site),
        "generation_steps": total_steps(made.values()),
        "generation_w": made,
        "fuel_usd_per_mwh": {one.name: one.fuel_cost for one in site.generation},
        "curtailed_hours": Fraction(0) if service.non_firm is None else service.non_firm.curtailed_hours_per_year,
        "demand_charge_usd_per_kw_month": Fraction(0) if service.demand_charge is None else service.demand_charge,
        "minimum_demand_steps": minimum_demand_steps(site),
        "swing_steps": swing_steps(site),
    }

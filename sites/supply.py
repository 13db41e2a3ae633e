"""What a site's supply gives over time: service, plant of its own and batteries, in exact watts.

Watts are whole: each step of the service and each generating set is floored for itself, so that sums agree.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt
from typing import TYPE_CHECKING, TypeAlias

from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sites.schema.common import CapacityStep
    from sites.schema.service import Battery, Generation
    from sites.schema.site import SiteFile

WattSteps: TypeAlias = "tuple[tuple[str, Fraction], ...]"
"""(quarter, W) pairs in order of quarter; each holds until the next."""
SECONDS_PER_MINUTE = 60


def capacity_steps(site: SiteFile) -> WattSteps:
    """All that the meter may see: firm and non-firm service and firm generation together."""
    return total_steps((firm_steps(site), non_firm_steps(site), *generation_w(site).values()))


def firm_steps(site: SiteFile) -> WattSteps:
    """Firm capacity of the service."""
    return _floored(site.service.steps)


def non_firm_steps(site: SiteFile) -> WattSteps:
    """Capacity of the service that may be curtailed; empty where there is none."""
    return () if site.service.non_firm is None else _floored(site.service.non_firm.steps)


def minimum_demand_steps(site: SiteFile) -> WattSteps:
    """Demand that the tariff charges at the least, rounded up since it costs; empty where there is no such term."""
    minimum = site.service.minimum_demand
    return () if minimum is None else tuple((step.start, Fraction(ceil(step.capacity))) for step in minimum.steps)


def generation_w(site: SiteFile) -> dict[str, WattSteps]:
    """Firm output of each of the site's own plants at the design dry bulb, by its name."""
    dry_bulb_degc = site.climate.design_dry_bulb
    return {one.name: ((one.in_service, firm_generation_w(one, dry_bulb_degc)),) for one in site.generation}


def _floored(steps: Sequence[CapacityStep]) -> WattSteps:
    return tuple((step.start, Fraction(floor(step.capacity))) for step in steps)


def watts_at(steps: WattSteps, quarter: str) -> Fraction:
    """Watts of the last step that has begun; 0 before the first."""
    begun = [watts for start, watts in steps if quarter_index(start) <= quarter_index(quarter)]
    return begun[-1] if begun else Fraction(0)


def total_steps(parts: Iterable[WattSteps]) -> WattSteps:
    """The sum of some capacities over time, one step for each quarter in which it changes."""
    listed = list(parts)
    quarters = sorted({start for steps in listed for start, _ in steps}, key=quarter_index)
    totals = [(quarter, sum((watts_at(steps, quarter) for steps in listed), Fraction(0))) for quarter in quarters]
    return tuple(one for index, one in enumerate(totals) if index == 0 or one[1] != totals[index - 1][1])


def firm_generation_w(generation: Generation, dry_bulb_degc: Fraction) -> Fraction:
    """Watts that the sets give at this dry bulb with the reserve out: whole W of one set, times those that are left."""
    above_k = max(Fraction(0), dry_bulb_degc - generation.rated_dry_bulb)
    left_share = max(Fraction(0), 1 - generation.derate_per_kelvin * above_k)
    return Fraction(max(0, generation.units - generation.reserve) * floor(generation.rating * left_share))


def battery_swing_w(battery: Battery, ramp_w_per_min: Fraction | None) -> int:
    """Watts by which a battery raises the step that a load may take, floored to whole W.

    Without a limit of the ramp: its power. With one of R W/s it carries a step S until the service has caught up after
    S/R, which takes the energy S²/(2·R): S = √(2·R·E), if its power allows.
    """
    power_w = floor(battery.power)
    if ramp_w_per_min is None:
        return power_w
    return min(power_w, isqrt(floor(2 * ramp_w_per_min / SECONDS_PER_MINUTE * battery.energy)))


def swing_steps(site: SiteFile) -> WattSteps | None:
    """What the load may change by at once, from the first quarter of capacity on; None where the site is not asked."""
    step_w = site.service.swing.step
    if step_w is None:
        return None
    first_quarter = capacity_steps(site)[0][0]
    adds: list[WattSteps] = [((first_quarter, Fraction(floor(step_w))),)]
    for battery in site.batteries:
        start = max(first_quarter, battery.in_service, key=quarter_index)
        adds.append(((start, Fraction(battery_swing_w(battery, site.service.swing.ramp))),))
    return total_steps(adds)

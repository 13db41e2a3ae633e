"""What stands at a site's meter over the year: firm and non-firm service, generation, and what curtailment takes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.year.classes import SERVICE
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sites.expansion.graphs import SiteGraphs

MEGAWATT_W = 1e6


@dataclass(frozen=True)
class Sources:
    """A site's supply in a quarter, in W."""

    firm_w: float
    non_firm_w: float
    generation_w: dict[str, float]
    fuel_usd_per_mwh: dict[str, float]
    curtailed_hours: float
    """Hours of a year without the non-firm service."""

    @property
    def capacity_w(self) -> float:
        """All sources together."""
        return self.firm_w + self.non_firm_w + sum(self.generation_w.values())


def site_sources(graphs: SiteGraphs, quarter: str) -> Sources:
    """The supply of a site in a quarter.

    Parameters: graphs; quarter, e.g. "2030-Q4".
    """
    fields = graphs.power.nodes[SERVICE]
    return Sources(
        firm_w=float(watts_at(graphs, "firm_steps", quarter)),
        non_firm_w=float(watts_at(graphs, "non_firm_steps", quarter)),
        generation_w={name: float(last_step(steps, quarter)) for name, steps in fields["generation_w"].items()},
        fuel_usd_per_mwh={name: float(price) for name, price in fields["fuel_usd_per_mwh"].items()},
        curtailed_hours=float(fields["curtailed_hours"]),
    )


def watts_at(graphs: SiteGraphs, key: str, quarter: str) -> Fraction:
    """Watts of a list of steps of the service in a quarter; 0 before its first."""
    return last_step(graphs.power.nodes[SERVICE][key], quarter)


def last_step(steps: Sequence[tuple[str, Fraction]], quarter: str) -> Fraction:
    """Watts of the last step that has begun; 0 before the first."""
    begun = [watts for start, watts in steps if quarter_index(start) <= quarter_index(quarter)]
    return Fraction(begun[-1]) if begun else Fraction(0)


def supply(sources: Sources, meter_w: NDArray[np.float64]) -> dict[str, Any]:
    """What each source gives in a year, and what the hours of curtailment take.

    Parameters: sources; meter, [n_hours] (W). Generation carries its share of the capacity, as in the plan's energy
    price. The hours of curtailment are taken as those of the highest draw: no other choice takes more energy.
    """
    capacity_w, generated_w = sources.capacity_w, sum(sources.generation_w.values())
    energy_mwh = float(meter_w.sum()) / MEGAWATT_W
    shares = {name: watts / capacity_w if capacity_w else 0.0 for name, watts in sources.generation_w.items()}
    above_w = np.maximum(0.0, meter_w - (capacity_w - sources.non_firm_w))
    return {
        "firm_mw": sources.firm_w / MEGAWATT_W,
        "non_firm_mw": sources.non_firm_w / MEGAWATT_W,
        "generation_mw": generated_w / MEGAWATT_W,
        "generation_mwh": {name: share * energy_mwh for name, share in shares.items()},
        "fuel_usd": sum(share * energy_mwh * sources.fuel_usd_per_mwh[name] for name, share in shares.items()),
        "hours_on_non_firm": int(np.count_nonzero(above_w)),
        "non_firm_mwh": float(above_w.sum()) / MEGAWATT_W,
        "curtailed_hours": sources.curtailed_hours,
        "curtailed_mwh": _highest_hours(above_w, sources.curtailed_hours) / MEGAWATT_W,
    }


def _highest_hours(watts: NDArray[np.float64], n_hours: float) -> float:
    """Watt-hours of the highest hours, a part of the last one included."""
    ordered = np.sort(watts)[::-1]
    whole = min(len(ordered), int(n_hours))
    part = (n_hours - whole) * float(ordered[whole]) if whole < len(ordered) else 0.0
    return float(ordered[:whole].sum()) + part

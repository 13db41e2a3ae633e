"""Every limit of one site on demand: coefficients and capacity by name and period (section 4 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.cooling_limits import BankLimits
from planner.verify.network import SERVICE
from planner.verify.place_limits import PlaceLimits
from planner.verify.terms import ONE, Occupied, Terms, less_occupied
from planner.verify.walk import Shares, Walker
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.verify.fits import Fits
    from planner.verify.network import Network
    from planner.verify.states import States
    from sites.expansion import SiteGraphs

BEFORE = "before"
"""Last part of the name of a power limit before Flex rows act."""
COOLING = ("liquid", "flow", "air", "dry", "chiller")


@dataclass
class SiteLimits:
    """The limits of one site; nothing is kept but what a walk found out."""

    graphs: SiteGraphs
    occupied: dict[str, Occupied]
    fits: Fits
    walker: Walker = field(init=False)
    banks: BankLimits = field(init=False)
    places: PlaceLimits = field(init=False)

    def __post_init__(self) -> None:
        """Read the graphs once."""
        self.walker = Walker(self.graphs)
        self.banks = BankLimits(self.graphs, self.walker.states)
        self.places = PlaceLimits(self.graphs, self.fits, self.occupied)

    @property
    def states(self) -> States:
        """Normal operation and what failures leave."""
        return self.walker.states

    @property
    def network(self) -> Network:
        """The power network."""
        return self.walker.network

    def terms(self, family: str, element: str, details: tuple[str, ...], quarter: str) -> Terms | None:
        """One limit in a period, or None where it does not exist.

        Parameters: details, what follows the element in the limit's name: the failure of a power or cooling limit and
        `before` behind it, the kind of port of a leaf group, else nothing. Raises KeyError when the family, the element
        or a detail is none of this site's.
        """
        if family == "power":
            return self._power(element, details, quarter)
        if (family, element, details) == ("meter", SERVICE, ()):
            return self._meter(quarter)
        if family in COOLING and len(details) <= 1:
            failed = self.states.contingencies.number(details[0]) if details else None
            found = self.banks.terms(family, element, failed, quarter)
        else:
            found = self.places.terms(family, element, details, quarter)
            if family == "landing":
                return found
        return None if found is None else less_occupied(found, self.occupied_coefficient(found.rows, quarter))

    def names(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """(family, element, details) of every limit without failure but the power limits, whether active or not."""
        yield "meter", SERVICE, ()
        yield from ((family, place, ()) for family, place in self.banks.names())
        yield from self.places.names()

    def names_after_failures(self, quarter: str) -> list[tuple[str, str, tuple[str, ...]]]:
        """The same of the cooling limits under failures: of failures that leave a bank alike, the first."""
        epoch = self.walker.states.epoch(quarter)
        found: list[tuple[str, str, tuple[str, ...]]] = []
        for state in self.banks.states_after_failures(epoch):
            failure = self.states.contingencies.name(state.failed)
            found += [(family, state.bank.place, (failure,)) for family in state.bank.families]
        return found

    @cached_property
    def rows(self) -> tuple[str, ...]:
        """Every row of the site."""
        return tuple(row for row, fields in self.graphs.containment.nodes(data=True) if fields["kind"] == "row")

    def exists(self, row: str, quarter: str) -> bool:
        """Whether a row stands in a period (section 2)."""
        states = self.states
        return self.network.index[row] not in states.wiring(states.epoch(quarter)).dead

    def occupied_coefficient(self, rows: Mapping[str, Mapping[str, int]], quarter: str) -> int:
        """Load of racks that stand already, in rows that exist, scaled by 2^20."""
        total = 0
        for row in self.occupied.keys() & rows.keys():
            if self.exists(row, quarter):
                standing = self.occupied[row]
                draw = standing.draws.draw
                total += standing.n_racks * sum(share * draw.get(kind, 0) for kind, share in rows[row].items())
        return total

    def power_shares(
        self, element: str, contingency: str | None, quarter: str, *, before_action: bool = False
    ) -> Shares | None:
        """Exact shares on an element's output, or None when it or what fails does not stand."""
        states, node = self.states, self.network.index[element]
        epoch = states.epoch(quarter)
        failed = None if contingency is None else states.contingencies.number(contingency)
        if failed is not None and not states.stands(epoch, failed):
            return None
        if states.state(epoch, failed).is_dead(node):
            return None
        return self.walker.shares(epoch, node, failed, before_action=before_action)

    def _power(self, element: str, details: tuple[str, ...], quarter: str) -> Terms | None:
        if len(details) > 2 or details[1:] not in {(), (BEFORE,)}:
            msg = f"after its element a power limit has a failure and '{BEFORE}' at most, found '{':'.join(details)}'"
            raise KeyError(msg)
        failure, before = details[0] if details else None, len(details) == 2
        if failure is not None and self.states.contingencies.unit(self.states.contingencies.number(failure)):
            msg = f"the failure of '{failure}' takes no power element"
            raise KeyError(msg)
        shares = self.power_shares(element, failure, quarter, before_action=before)
        node = self.network.index[element]
        if shares is None or self.network.rating_w[node] is None:
            return None
        capacity_w = self.permitted_w(node, failure is not None, shares if before else None)
        return None if capacity_w is None else self._rated(shares, capacity_w, quarter)

    def permitted_w(self, node: int, after_failure: bool, before: Shares | None) -> int | None:
        """Load that an element may carry.

        Parameters: before, its shares before Flex rows act, where that is asked; then None when no such row loads it.
        """
        if not after_failure:
            return self.network.rating_w[node]
        if before is None:
            return self.network.emergency_w[node]
        slowest_s = self.walker.slowest_s(before)
        if slowest_s is None:
            return None
        in_time = self.network.short_time_s[node] >= slowest_s
        return self.network.short_time_w[node] if in_time else self.network.emergency_w[node]

    def _meter(self, quarter: str) -> Terms | None:
        shares = self.power_shares(SERVICE, None, quarter)
        return None if shares is None else self._rated(shares, self.service_w(quarter), quarter)

    def service_w(self, quarter: str) -> int:
        """The service step of a period, whole W; 0 before the first."""
        steps = self.graphs.power.nodes[SERVICE]["capacity_steps"]
        now = quarter_index(quarter)
        started = [floor(watts) for start, watts in steps if quarter_index(start) <= now]
        return started[-1] if started else 0

    def _rated(self, shares: Shares, capacity_w: int, quarter: str) -> Terms:
        """Shares rounded up, once for each row and kind, and the constants rounded up together."""
        capacity = capacity_w * ONE - ceil(shares.constant_w * ONE)
        return less_occupied(Terms(shares.scaled, capacity), self.occupied_coefficient(shares.scaled, quarter))

"""Refreshes as systems of their own, whose configurations are windows (sections 5 and 6 of `docs/model.md`).

Everything is lowered for the configurations on offer; a window is one of these for some periods, so that what is known
of its configuration is known of it too. While the racks are exchanged a window has places and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from planner.lower.eligibility import Verdict
from planner.lower.joint_limits import delivered_racks
from planner.lower.money import CENTS_PER_USD
from planner.problem import SHARE_BITS
from sites.refresh import DOWN, RefreshOption, refresh_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from planner.lower.hosts import Offer
    from planner.lower.money import Prices
    from planner.lower.pieces import Coefficients, Piece
    from planner.lower.side_figures import MeterWindow
    from sites.schema.portfolio import PortfolioFile

T = TypeVar("T")
_ONE = 1 << SHARE_BITS


@dataclass(frozen=True)
class Window:
    """A configuration of a refresh: one on offer, or none, for some periods."""

    name: str
    option: RefreshOption
    physical: int | None
    """Of the offer; None while the racks are exchanged."""
    first_period: int
    end_period: int
    """One past the last."""


@dataclass(frozen=True)
class Refreshes:
    """All refreshes of a portfolio; their systems and configurations follow those on offer, in this order."""

    offer: Offer
    options: tuple[RefreshOption, ...] = ()

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """Of every option in turn: its old configurations, the exchange, its new ones."""
        return tuple(window for option in self.options for window in self._windows(option))

    @property
    def n_configurations(self) -> int:
        """Of the problem."""
        return len(self.offer.configurations) + len(self.windows)

    @property
    def configuration_names(self) -> tuple[str, ...]:
        """Of the problem."""
        return (*(one.name for one in self.offer.configurations), *(window.name for window in self.windows))

    @property
    def system_names(self) -> tuple[str, ...]:
        """Of the problem."""
        return (*self.offer.systems, *(option.name for option in self.options))

    @property
    def system_idx(self) -> tuple[int, ...]:
        """System of each configuration of the problem."""
        own = {option.name: len(self.offer.systems) + number for number, option in enumerate(self.options)}
        return (*self.offer.system_idx, *(own[window.option.name] for window in self.windows))

    @property
    def physical_idx(self) -> tuple[int | None, ...]:
        """By configuration of the problem, the one on offer that its racks are; None while they are exchanged."""
        return (*range(len(self.offer.configurations)), *(window.physical for window in self.windows))

    def of_each(self, offered: Sequence[T], nothing: T) -> list[T]:
        """What is known of configurations on offer, for each of the problem; `nothing` while racks are exchanged."""
        return [nothing if k is None else offered[k] for k in self.physical_idx]

    def closed(self, n_rows: int) -> NDArray[np.bool_] | None:
        """[n_rows, n_configurations, n_periods] outside the windows; None without a refresh."""
        if not self.windows:
            return None
        periods = np.arange(len(self.offer.periods))
        outside = np.zeros((self.n_configurations, periods.size), np.bool_)
        for k, window in enumerate(self.windows, start=len(self.offer.configurations)):
            outside[k] = (periods < window.first_period) | (periods >= window.end_period)
        return np.repeat(outside[None], n_rows, axis=0)

    def as_they_are(self, n_racks: NDArray[np.int32]) -> NDArray[np.int32]:
        """Racks of windows counted with those of their configurations; places without a rack at work hold none.

        Parameters: n_racks, [n_rows, n_configurations, n_periods]. Returns the same shape.
        """
        if not self.windows:
            return n_racks
        result = np.zeros_like(n_racks)
        for number, physical in enumerate(self.physical_idx):
            if physical is not None:
                result[:, physical] += n_racks[:, number]
        return result

    def shown_system(self, system: int) -> str:
        """Name of a system of the problem as racks start: that of the old one for a refresh."""
        n_offered = len(self.offer.systems)
        return self.offer.systems[system] if system < n_offered else self.options[system - n_offered].refresh.before

    def positions(self, option: RefreshOption) -> int:
        """Places of a rack while it is exchanged: those of the larger system."""
        return max(
            self.offer.draws[k].positions for k in (*self._of(option.refresh.before), *self._of(option.refresh.after))
        )

    def widened(self, piece: Piece, prices: Prices | None = None) -> Piece:
        """A limit with coefficients of windows too.

        Parameters: prices, of racks, for the limit on what is spent on them.
        """
        if not self.windows:
            return piece
        known: dict[Coefficients, Coefficients] = {}
        for values in piece.coefficients.values():
            if values not in known:
                known[values] = (*values, *(self._coefficient(piece, values, one, prices) for one in self.windows))
        return replace(piece, coefficients={row: known[values] for row, values in piece.coefficients.items()})

    def widened_meter(self, meter: MeterWindow) -> MeterWindow:
        """The same for what a site draws from its service."""
        of_windows = [window.physical for window in self.windows]
        wide = {
            row: (*values, *(0 if k is None else values[k] for k in of_windows))
            for row, values in meter.coefficients.items()
        }
        return replace(meter, coefficients=wide)

    def verdicts(self, own: Sequence[Verdict], portfolio: PortfolioFile) -> tuple[Verdict, ...]:
        """From when on each window may stand in a row.

        Parameters: own, of the configurations on offer in that row.
        """
        reasons = {option: self._refusal(option, own, portfolio) for option in self.options}
        return tuple(self._verdict(window, own, reasons[window.option]) for window in self.windows)

    def refused(self, verdicts: Sequence[Verdict]) -> Iterator[tuple[str, str]]:
        """Configurations on offer that a row never takes, and refreshes that it never sees, with the reason.

        Parameters: verdicts, of all configurations of the problem.
        """
        n_offered = len(self.offer.configurations)
        for name, verdict in zip(self.configuration_names[:n_offered], verdicts, strict=False):
            if verdict.reason is not None:
                yield name, verdict.reason
        for option in self.options:
            own = [
                verdict
                for window, verdict in zip(self.windows, verdicts[n_offered:], strict=True)
                if window.option == option
            ]
            if all(verdict.first_period is None for verdict in own):
                yield option.name, own[0].reason or ""

    def _windows(self, option: RefreshOption) -> list[Window]:
        names = self.offer.configurations
        found = [
            Window(option.configuration_name(names[k].name), option, k, 0, option.begins)
            for k in self._of(option.refresh.before)
        ]
        if option.ends > option.begins:
            found.append(Window(option.configuration_name(DOWN), option, None, option.begins, option.ends))
        n_periods = len(self.offer.periods)
        return found + [
            Window(option.configuration_name(names[k].name), option, k, option.ends, n_periods)
            for k in self._of(option.refresh.after)
        ]

    def _of(self, system: str) -> list[int]:
        return [k for k, one in enumerate(self.offer.configurations) if one.system.name == system]

    def _coefficient(self, piece: Piece, values: Coefficients, window: Window, prices: Prices | None) -> int:
        """What one rack of a window takes of a limit, scaled by 2^20; deliveries and money stay taken."""
        option, is_later = window.option, window.first_period >= window.option.begins
        match piece.name.family:
            case "supply":
                taken = (option.refresh.before, option.refresh.after) if is_later else (option.refresh.before,)
                return _ONE * taken.count(piece.name.element)
            case "budget" if prices is not None:
                bought = (option.refresh.before, option.refresh.after) if is_later else (option.refresh.before,)
                return sum(ceil(prices.rack_usd[system] * CENTS_PER_USD) for system in bought) << SHARE_BITS
            case "landing":
                return (2 if is_later else 1) * _ONE
            case "position" if window.physical is None:
                return self.positions(option) << SHARE_BITS
            case _:
                return 0 if window.physical is None else values[window.physical]

    def _refusal(self, option: RefreshOption, own: Sequence[Verdict], portfolio: PortfolioFile) -> str | None:
        """Why a row cannot be refreshed so, or None."""
        before = [own[k] for k in self._of(option.refresh.before) if own[k].first_period is not None]
        after = [own[k] for k in self._of(option.refresh.after) if own[k].first_period is not None]
        for system, found in ((option.refresh.before, before), (option.refresh.after, after)):
            if not found:
                return f"no configuration of {system} may ever stand in the row"
        if min(one.first_period or 0 for one in before) >= option.begins:
            return f"{option.refresh.before} may not stand in the row before {option.quarter}, when it would make way"
        if min(one.first_period or 0 for one in after) > option.ends:
            return f"{option.refresh.after} may stand in the row only after {self.offer.periods[option.ends]}"
        if delivered_racks(portfolio, option.refresh.after, option.quarter) == 0:
            return f"no rack of {option.refresh.after} is delivered by {option.quarter}"
        if before[0].conversion != after[0].conversion:
            return f"the row would have to be converted between {option.refresh.before} and {option.refresh.after}"
        return None

    def _verdict(self, window: Window, own: Sequence[Verdict], refusal: str | None) -> Verdict:
        """Of one window; what its row is converted for is that for the old system."""
        if refusal is not None:
            return Verdict(None, refusal)
        before = (own[k] for k in self._of(window.option.refresh.before))
        conversion = next(one.conversion for one in before if one.first_period is not None)
        if window.physical is None:
            return Verdict(window.first_period, None, conversion=conversion)
        physical = own[window.physical]
        if physical.first_period is None:
            return Verdict(None, physical.reason)
        return Verdict(max(physical.first_period, window.first_period), None, conversion=conversion)


def refreshes_of(portfolio: PortfolioFile, offer: Offer) -> Refreshes:
    """The refreshes that a portfolio offers."""
    return Refreshes(offer, refresh_options(portfolio))


def of_windows(values: NDArray[np.int64], refreshes: Refreshes) -> NDArray[np.int64]:
    """What is known of the configurations on offer, of all of the problem: nothing while racks are exchanged.

    Parameters: values, [..., n_configurations on offer, n_periods]. Returns [..., n_configurations, n_periods].
    """
    idx = [-1 if k is None else k for k in refreshes.physical_idx]
    result = values[..., idx, :]
    result[..., [k is None for k in refreshes.physical_idx], :] = 0
    return result

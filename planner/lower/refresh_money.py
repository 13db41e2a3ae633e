"""What refreshes earn and cost, in whole cents (section 7 of `docs/model.md`)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, lcm
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import CENTS_PER_USD, ZERO
from sites.refresh import resale_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from planner.lower.money import SiteMoney
    from planner.lower.refresh import Refreshes, Window
    from sites.refresh import RefreshOption


class RefreshMoney:
    """Values of every refresh at one site, beside those of the systems on offer."""

    def __init__(self, money: SiteMoney, refreshes: Refreshes) -> None:
        """Keep what they are made of: what racks on offer earn and cost at the site."""
        self._money, self._refreshes = money, refreshes
        self._n_periods = len(refreshes.offer.periods)

    def period_value(self) -> NDArray[np.int64]:
        """[n_windows, n_periods] cents for each standing rack."""
        return self._table(
            [
                [floor(self._standing_usd(window, t) * CENTS_PER_USD) for t in range(self._n_periods)]
                for window in self._refreshes.windows
            ]
        )

    def start_value(self, option: RefreshOption, conversion_cents: int = 0) -> NDArray[np.int64]:
        """[n_periods] cents for each rack started.

        Parameters: conversion_cents, what converting a row costs for each of its racks.
        """
        conversion_usd = Fraction(conversion_cents, CENTS_PER_USD) if self._money.owns_racks else ZERO
        values = [self._start_usd(option, t) - conversion_usd * self._money.discount(t) for t in range(self._n_periods)]
        return np.array([floor(usd * CENTS_PER_USD) for usd in values], np.int64)

    def start_values(self) -> NDArray[np.int64]:
        """[n_options, n_periods] cents for each rack started in a row that is not converted."""
        return self._table([self.start_value(option).tolist() for option in self._refreshes.options])

    def unit_cost(self, unit_racks: Mapping[str, int]) -> NDArray[np.int64]:
        """[n_options, n_periods] cents of the networks of both systems for each scalable unit started, rounded up.

        Parameters: unit_racks, of the systems on offer.
        """
        return self._table(
            [
                [ceil(self._unit_usd(option, unit_racks, t) * CENTS_PER_USD) for t in range(self._n_periods)]
                for option in self._refreshes.options
            ]
        )

    def _table(self, rows: list[list[int]]) -> NDArray[np.int64]:
        return np.array(rows, np.int64).reshape(-1, self._n_periods)

    def _standing_usd(self, window: Window, t: int) -> Fraction:
        """As of its configuration; racks that have left, or wait to stand, are no more stored than those that stand."""
        refresh, k = window.option.refresh, window.physical
        money = self._money
        if window.first_period < window.option.begins:
            return money.standing_usd(k, t) if k is not None else ZERO
        left = money.unstored_usd(refresh.before, t)
        return left + (money.unstored_usd(refresh.after, t) if k is None else money.standing_usd(k, t))

    def _start_usd(self, option: RefreshOption, t: int) -> Fraction:
        """A rack of the old system until it makes way, and one of the new system from then on.

        One that starts later is bought, sold unused and replaced at once: it is never worth more than one of the new
        system alone.
        """
        money, refresh = self._money, option.refresh
        moves, stands = max(t, option.begins), max(t, option.ends)
        value = -money.bought_usd(refresh.before, t) - money.unaccepted_usd(refresh.before, t, option.begins)
        if money.owns_racks:
            resale_usd = resale_share(refresh, moves - t) * money.rack_usd(refresh.before)
            value += (resale_usd - refresh.removal_cost) * money.discount(moves)
        value += money.residual_usd(refresh.after, stands) - money.bought_usd(refresh.after, moves)
        return value + money.after_usd(refresh.after, stands) - money.unaccepted_usd(refresh.after, stands)

    def _unit_usd(self, option: RefreshOption, unit_racks: Mapping[str, int], t: int) -> Fraction:
        if not self._money.owns_racks:
            return ZERO
        refresh, moves = option.refresh, max(t, option.begins)
        old_usd, new_usd = (self._money.network_usd(system) for system in (refresh.before, refresh.after))
        of_rack = old_usd * self._money.discount(t) + new_usd * self._money.discount(moves)
        return of_rack * unit_racks_of(option, unit_racks)


def unit_racks_of(option: RefreshOption, unit_racks: Mapping[str, int]) -> int:
    """Racks of a scalable unit that is whole for the old and the new system."""
    return lcm(unit_racks[option.refresh.before], unit_racks[option.refresh.after])

"""What racks that make way for others earn and cost (section 7 of `docs/model.md`)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.verify.meter_money import MeterMoney
    from planner.verify.money import MoneyRule
    from planner.verify.refresh import Change, Spell

ZERO = Fraction(0)


def spell_cents(rule: MoneyRule, spell: Spell, quarter: int, meter: MeterMoney) -> Fraction:
    """One rack of a spell standing in a decision period, discounted, not rounded.

    A committed rack that has left, or waits to stand, is no more stored than one that stands.
    """
    value = ZERO if spell.configuration is None else rule.standing_cents(spell.configuration, quarter, meter)
    refresh = spell.change.refresh
    came = (refresh.before,) if spell.is_old else (refresh.before, refresh.after)
    return value + sum((rule.storage_cents(system, quarter) for system in came if rule.is_committed(system)), ZERO)


def change_start_cents(rule: MoneyRule, change: Change, quarter: int, meter: MeterMoney) -> Fraction:
    """One rack of a change started in a decision period, conversion of its places aside, not rounded.

    The old one is bought, waits for acceptance as long as it stays, and leaves: resold, its place worked on. The new
    one is paid for then, and lives from when it stands.
    """
    refresh, leaves = change.refresh, max(quarter, change.leaves)
    stands = max(quarter, change.stands)
    value = rule.later_cents(refresh.after, stands, meter)
    accepted = quarter + rule.portfolio.money.acceptance_lag_quarters
    value -= rule.waiting_cents(refresh.before, quarter, min(accepted, change.leaves), meter)
    if rule.rents:
        return value
    price_cents = 100 * rule.rack_price_usd(refresh.before)
    value += change.resale_share(leaves - quarter) * price_cents * rule.discount(leaves)
    value -= 100 * Fraction(refresh.removal_cost) * rule.discount(leaves)
    for system, paid in ((refresh.before, quarter), (refresh.after, leaves)):
        value -= ZERO if rule.is_committed(system) else rule.payment_cents(system, paid)
    return value + rule.residual_cents(refresh.after, stands)


def change_unit_racks(rule: MoneyRule, change: Change) -> int:
    """Racks of a scalable unit that is whole for both systems."""
    return lcm(rule.unit_racks(change.refresh.before), rule.unit_racks(change.refresh.after))


def change_unit_cost(rule: MoneyRule, change: Change, quarter: int) -> int:
    """Cents of both networks of one scalable unit started in a period, rounded up; none of who rents."""
    if rule.rents:
        return 0
    old, new = (rule.network_price_usd(system) for system in (change.refresh.before, change.refresh.after))
    of_rack_usd = old * rule.discount(quarter) + new * rule.discount(max(quarter, change.leaves))
    return ceil(100 * change_unit_racks(rule, change) * of_rack_usd)

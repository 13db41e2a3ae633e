"""Racks of spells in the side program: each counts as one of its configuration (section 7a of `docs/model.md`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.verify.side import SideRow

if TYPE_CHECKING:
    from planner.verify.objective import Ledger
    from planner.verify.refresh import Spell
    from planner.verify.side import Side


def add_spells(side: Side, ledger: Ledger) -> None:
    """Let racks of spells add to every row what racks of their configurations add.

    A spell counts where it lasts in the period that is counted and in the row's own quarter, the last decision quarter
    standing for all later ones.
    """
    periods = ledger.setting.periods
    by_configuration: dict[str, list[Spell]] = {}
    for spell in ledger.money.spells.values():
        if spell.configuration is not None:
            by_configuration.setdefault(spell.configuration, []).append(spell)
    if not by_configuration:
        return
    for name, row in side.rows.items():
        own = _row_period(name, periods)
        racks = dict(row.racks)
        for (site, configuration, t), each in row.racks.items():
            for spell in by_configuration.get(configuration, ()):
                if spell.begin <= t < spell.end and (own is None or spell.begin <= own < spell.end):
                    racks[site, spell.name, t] = each
        side.rows[name] = SideRow(row.right, racks)


def _row_period(name: str, periods: tuple[str, ...]) -> int | None:
    """Decision period of the quarter that a row's name ends with; the last one for later quarters, None without one."""
    quarter = name.split(":")[-1]
    if quarter in periods:
        return periods.index(quarter)
    year, _, number = quarter.partition("-Q")
    is_later = year.isdigit() and number.isdigit() and (year, number) > (periods[-1][:4], periods[-1][-1])
    return len(periods) - 1 if is_later else None

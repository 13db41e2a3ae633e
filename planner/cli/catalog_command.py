"""`gigaplan catalog`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import BAD_INPUT, Ended
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from pydantic import BaseModel

    from planner.report.breakeven import BreakEven
    from sites.catalog.loader import Catalog

_REFERENCE = "reference-1gw"


@click.command("catalog")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the catalogue, or show every figure of the entry NAME with range, source and status.

    A rack system with several power profiles also shows from which performance factor on a lower one pays, reckoned on
    the reference campus; a run's report shows the same for its own sites.

    \b
    Examples:
      gigaplan catalog
      gigaplan catalog gb300-nvl72
      gigaplan catalog vr-nvl72 --json
    """
    from sites.catalog.loader import load_catalog

    catalog = load_catalog()
    entries = _entries(catalog)
    if name is None:
        _list(entries, as_json=as_json)
        return
    base = name.partition("/")[0]
    names = {*entries, *(one.name for one in catalog.configurations())}
    if name not in names:
        from sites.nearest import unknown

        say(f"gigaplan: {unknown('catalogue entry', name, names)}")
        raise Ended(BAD_INPUT)
    entry = entries[base][1]
    lines = _break_evens(entry)
    if as_json:
        put_json(entry.model_dump(mode="json") | ({"break_evens": [asdict(line) for line in lines]} if lines else {}))
    else:
        _show_entry(entry, catalog)
        _show_break_evens(lines)


def _entries(catalog: Catalog) -> dict[str, tuple[str, BaseModel]]:
    """Every entry by name with its family in words."""
    families: tuple[tuple[str, dict[str, Any]], ...] = (
        ("rack system", catalog.rack_systems),
        ("power", catalog.power),
        ("cooling", catalog.cooling),
        ("switch", catalog.switches),
        ("medium", catalog.media),
        ("cabling", catalog.cabling),
        ("wiring", catalog.wirings),
        ("throughput", catalog.throughput),
        ("economics", catalog.economics),
    )
    return {name: (family, entry) for family, entries in families for name, entry in entries.items()}


def _list(entries: dict[str, tuple[str, BaseModel]], *, as_json: bool) -> None:
    if as_json:
        put_json([{"name": name, "family": family, "title": _title(e)} for name, (family, e) in entries.items()])
        return
    lines = [(name, family, _title(entry), _note(entry)) for name, (family, entry) in entries.items()]
    put_table("Catalogue", ("name", "family", "title", "profiles, systems, or why disabled"), lines)
    say("one entry with all its figures: gigaplan catalog NAME")


def _title(entry: BaseModel) -> str:
    return str(getattr(entry, "title", ""))


def _note(entry: BaseModel) -> str:
    """Why an entry cannot be planned, how its profiles are called, or which systems it measures."""
    reason = getattr(entry, "disabled_reason", None)
    if reason is not None:
        return f"disabled: {reason}"
    curves = getattr(entry, "curves", None)
    if isinstance(curves, tuple):
        return f"{getattr(entry, 'counts', '')} of " + ", ".join(dict.fromkeys(curve.system for curve in curves))
    basis = getattr(entry, "basis", None)
    if basis is not None:
        return f"for each watt {'of IT' if basis == 'it' else 'at the meter'}"
    names = [profile.name for profile in getattr(entry, "profiles", ())]
    return "" if names in ([], ["standard"]) else "profiles: " + ", ".join(names)


def _break_evens(entry: BaseModel) -> tuple[BreakEven, ...]:
    """Break-evens of an entry's lower profiles on the reference campus; none for an entry of one profile."""
    if sum(profile.enabled for profile in getattr(entry, "profiles", ())) < 2:
        return ()
    from planner.report.breakeven import break_evens
    from sites.expansion import expand
    from sites.world import load_world

    world = load_world(_REFERENCE)
    graphs = {one.name: expand(one.site, world.catalog) for one in world.sites}
    name = str(getattr(entry, "name", ""))
    return tuple(line for line in break_evens(world, graphs) if line.lower.partition("/")[0] == name)


def _show_break_evens(lines: tuple[BreakEven, ...]) -> None:
    if not lines:
        return
    columns = (
        "lower profile", "where power binds", "racks", "worth of a rack-quarter", "break-even", "assumed", "verdict"
    )  # fmt: skip
    cells = [
        (line.lower, line.basis, f"{line.n_lower} against {line.n_highest}",
         f"{line.lower_value} against {line.highest_value}", f"{line.factor:.3f}", line.assumed, line.verdict)
        for line in lines
    ]  # fmt: skip
    put_table(f"Performance factor at which a lower profile earns as much as {lines[0].highest}", columns, cells)
    say(f"reckoned on {_REFERENCE} at {lines[0].price} prices; each rack keeps one profile for its whole economic life")


def _show_entry(entry: BaseModel, catalog: Catalog) -> None:
    from planner.report.assumptions import figures

    lines = [
        (one.where, one.figures, one.status, one.source + (f"; note: {one.note}" if one.note else ""))
        for one in figures(entry, catalog.sources)
    ]
    put_table(_title(entry), ("figure", "value (low to high)", "status", "source"), lines)
    for note in (_note(entry), *(getattr(entry, key, "") for key in ("conditions", "covers", "includes"))):
        if note:
            say(note)

"""`gigaplan catalog`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import BAD_INPUT, Ended
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from pydantic import BaseModel

    from sites.catalog.loader import Catalog


@click.command("catalog")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the catalogue, or show every figure of the entry NAME with range, source and status.

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
    if base not in entries:
        from sites.nearest import unknown

        say(f"gigaplan: {unknown('catalogue entry', name, entries)}")
        raise Ended(BAD_INPUT)
    if as_json:
        put_json(entries[base][1].model_dump(mode="json"))
    else:
        _show_entry(entries[base][1], catalog)


def _entries(catalog: Catalog) -> dict[str, tuple[str, BaseModel]]:
    """Every entry by name with its family in words."""
    families: tuple[tuple[str, dict[str, Any]], ...] = (
        ("rack system", catalog.rack_systems),
        ("power", catalog.power),
        ("cooling", catalog.cooling),
        ("switch", catalog.switches),
    )
    return {name: (family, entry) for family, entries in families for name, entry in entries.items()}


def _list(entries: dict[str, tuple[str, BaseModel]], *, as_json: bool) -> None:
    if as_json:
        put_json([{"name": name, "family": family, "title": _title(e)} for name, (family, e) in entries.items()])
        return
    lines = [(name, family, _title(entry), _note(entry)) for name, (family, entry) in entries.items()]
    put_table("Catalogue", ("name", "family", "title", ""), lines)
    say("one entry with all its figures: gigaplan catalog NAME")


def _title(entry: BaseModel) -> str:
    return str(getattr(entry, "title", ""))


def _note(entry: BaseModel) -> str:
    """Why an entry cannot be planned, or how its profiles are called."""
    reason = getattr(entry, "disabled_reason", None)
    if reason is not None:
        return f"disabled: {reason}"
    names = [profile.name for profile in getattr(entry, "profiles", ())]
    return "" if names in ([], ["standard"]) else "profiles: " + ", ".join(names)


def _show_entry(entry: BaseModel, catalog: Catalog) -> None:
    from planner.report.assumptions import figures

    lines = [(one.where, one.figures, one.status, " ".join(filter(None, (one.source, one.note)))) for one in
             figures(entry, catalog.sources)]  # fmt: skip
    put_table(_title(entry), ("figure", "value (low to high)", "status", "source"), lines)
    note = _note(entry)
    if note:
        say(note)

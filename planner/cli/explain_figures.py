"""`gigaplan explain figures`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import BAD_INPUT, Ended
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.fidelity.figures import Reproduction


@click.command("figures")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the section of docs/fidelity.md.")
def command(name: str | None, as_json: bool, as_markdown: bool) -> None:
    """List public figures beside ours, each on its own basis, or show what the figure NAME is made of.

    Ours follow from the catalogue and from the sites of the library. A figure more than 3 % off says why. A source
    with a star is cited by an ingredient of ours too, so that its figure proves less.

    \b
    Examples:
      gigaplan explain figures
      gigaplan explain figures capital-gb200-epoch
      gigaplan explain figures --json
    """
    from planner.fidelity.figures import citations, reproduce_all
    from planner.fidelity.table import markdown, summary
    from sites.catalog.loader import load_catalog

    catalog = load_catalog()
    found = reproduce_all(catalog)
    if name is not None:
        found = (_named(found, name),)
    if as_json:
        put_json([_record(one) for one in found])
    elif as_markdown:
        click.echo(markdown(found, citations(catalog)))
    elif name is not None:
        _show_one(found[0], citations(catalog))
    else:
        _show_all(found)
        say(summary(found))
        say("what one figure is made of: gigaplan explain figures NAME; names: --json")


def _named(found: Sequence[Reproduction], name: str) -> Reproduction:
    by_name = {one.figure.name: one for one in found}
    if name not in by_name:
        from sites.nearest import unknown

        say(f"gigaplan: {unknown('public figure', name, by_name)}")
        raise Ended(BAD_INPUT)
    return by_name[name]


def _show_all(found: Sequence[Reproduction]) -> None:
    from planner.fidelity.table import COLUMNS, NUMBERS, cells

    for title in dict.fromkeys(one.group for one in found):
        lines = [cells(one) for one in found if one.group == title]
        put_table(title, COLUMNS, lines, right=NUMBERS)


def _show_one(one: Reproduction, citations: dict[str, str]) -> None:
    from planner.fidelity.table import COLUMNS, NUMBERS, cells

    put_table(one.figure.name, COLUMNS, [cells(one)], right=NUMBERS)
    lines = [
        (ingredient.where, str(ingredient.status), "; ".join(citations.get(key, key) for key in ingredient.sources))
        for ingredient in one.ingredients
    ]
    put_table("Made of", ("figure of the catalogue", "status", "source"), lines)
    say("; ".join(citations[key] for key in one.figure.source_keys))


def _record(one: Reproduction) -> dict[str, Any]:
    """One figure as JSON."""
    figure = one.figure
    return {
        "group": one.group,
        "name": figure.name,
        "what": figure.what,
        "unit": figure.ours.unit,
        "published": [float(value) for value in figure.published],
        "ours": float(one.value),
        "deviation": float(one.deviation),
        "within_tolerance": one.holds,
        "shares_source": one.shares_source,
        "basis": figure.basis,
        "outside": figure.outside,
        "sources": list(figure.source_keys),
        "computation": figure.ours.model_dump(mode="json", exclude_none=True),
        "ingredients": [
            {"where": part.where, "status": str(part.status), "sources": list(part.sources)} for part in one.ingredients
        ],
    }

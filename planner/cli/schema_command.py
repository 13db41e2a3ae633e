"""`gigaplan schema`."""

from __future__ import annotations

import click

from planner.cli.screen import put_json


@click.command("schema")
@click.argument("kind", type=click.Choice(["site", "portfolio", "catalog", "scenarios"]))
def command(kind: str) -> None:
    """Print the JSON Schema of a kind of input file; editors complete and check YAML with it.

    \b
    Example:
      gigaplan schema site > site.schema.json
    Then put this first in a site file:
      # yaml-language-server: $schema=site.schema.json
    """
    from sites.json_schema import export

    put_json(export(kind))

"""`gigaplan explain`: commands that show what an answer rests on, each loaded when it runs."""

from __future__ import annotations

import importlib

import click

_PARTS = {
    "figures": "Public figures beside what our own catalogue gives on their basis.",
    "break-even": "Grace Blackwell against Vera Rubin: at which speed, price or delay the choice flips.",
    "earliest": "The first quarter that reaches a target, and the proof that none before does.",
}


class Explanations(click.Group):
    """Commands are modules `planner.cli.explain_NAME`, hyphens as underscores, imported when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in order of use."""
        return list(_PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in _PARTS:
            return None
        command = importlib.import_module(f"planner.cli.explain_{cmd_name.replace('-', '_')}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and name the nearest one for a name that is none."""
        if args and args[0] not in _PARTS and not args[0].startswith("-"):
            from sites.nearest import unknown

            ctx.fail(unknown("explanation", args[0], _PARTS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_PARTS.items()))


@click.group("explain", cls=Explanations)
def command() -> None:
    """Show what an answer rests on.

    \b
    Example:
      gigaplan explain figures
      gigaplan explain break-even
      gigaplan explain earliest reference-1gw --measure racks --target 2000 --time-limit 60
    """

"""Entry point: the group of commands, loaded one at a time, and what happens when something goes wrong."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import BAD_INPUT, run_guarded
from planner.cli.streams import keep_stdout_for_commands

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "plan": "Plan a portfolio or a site and write its run folder.",
    "verify": "Check a run with code that shares nothing with the search.",
    "report": "Write a run's report.html again.",
    "year": "Run a plan through a year of hourly weather: PUE, water, energy, hours over rating.",
    "compare": "Plan at several loop set-points, or put two runs side by side.",
    "pareto": "Find the front of two measures: what one costs in the other, with proof.",
    "batch": "Plan sites × scenarios, resumable; every unit is verified.",
    "scenarios": "List scenarios and what they change in a portfolio.",
    "explain": "Show what an answer rests on: public figures beside our own.",
    "validate": "Check input files and list every fault.",
    "show": "Summarise the graphs of the sites, or draw one.",
    "export": "Write the problem, the graphs or a load-flow case for other programs.",
    "bench": "Race against other solvers on generated campuses.",
    "catalog": "Show rack systems and equipment with range, source and status.",
    "schema": "Print the JSON Schema of an input file, for editors.",
    "doctor": "Say what runs on this machine, and why the rest does not.",
}


class LazyGroup(click.Group):
    """Commands are modules `planner.cli.NAME_command`, imported only when they run or print their own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in order of use."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"planner.cli.{cmd_name}_command").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and name the nearest one for a name that is none."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from sites.nearest import unknown

            ctx.fail(unknown("command", args[0], _COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gigaplan", prog_name="gigaplan")
@click.option("--debug", is_flag=True, help="Show the traceback of a fault of ours.")
def group(debug: bool) -> None:
    """Plan gigawatt AI campuses: which rack goes into which row in which quarter, with a proven gap.

    \b
    Begin here:
      gigaplan plan claude-on-azure-1gw            plan the bundled portfolio
      gigaplan verify runs/claude-on-azure-1gw     check that plan independently
      gigaplan validate my-site.yaml               find every fault of a file
      gigaplan show my-site.yaml --graph power     look at what a file stands for

    FILE is a library name, a portfolio file or a site file.

    Exit codes: 0 done, 1 our fault, 2 bad input, 3 infeasible or not verified, 4 part of a batch failed.
    """
    del debug


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command line and end the process with its exit code."""
    keep_stdout_for_commands()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if not given:
        click.echo(group.get_help(click.Context(group, info_name="gigaplan")), err=True)
        sys.exit(BAD_INPUT)
    sys.exit(run_guarded(lambda: group.main(given, prog_name="gigaplan", standalone_mode=False), debug=debug))


if __name__ == "__main__":
    main()

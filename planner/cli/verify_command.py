"""`gigaplan verify`."""

from __future__ import annotations

from pathlib import Path

import click

from planner.cli.exits import INFEASIBLE, Ended
from planner.cli.screen import put_json, put_table, say


@click.command("verify")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print every check as JSON.")
def command(run: Path, as_json: bool) -> None:
    """Check the run folder RUN with code that shares nothing with lowering and search.

    Every limit is derived again from the site files in the run folder, in exact integers and rationals: placements,
    failures, totals, the objective to the cent, and the bound from the certificate. Ends with 0 when everything
    holds and with 3 when anything is off.

    \b
    Examples:
      gigaplan verify runs/claude-on-azure-1gw
      gigaplan verify runs/claude-on-azure-1gw --json
    """
    from planner.run.folder import require_run_folder
    from planner.verify import verify

    require_run_folder(run)
    found = verify(run)
    if as_json:
        checks = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in found.checks]
        put_json({"ok": found.ok, "checks": checks})
    else:
        lines = [("holds" if check.ok else "FAILS", check.name, check.detail) for check in found.checks]
        put_table("", ("", "check", "what was found"), lines)
        n_failed = len(found.failed())
        say("accepted: every check holds" if found.ok else f"refused: {n_failed} of {len(lines)} checks fail")
    if not found.ok:
        raise Ended(INFEASIBLE)

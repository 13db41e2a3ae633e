"""`gigaplan verify`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.cli.exits import INFEASIBLE, Ended
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from planner.verify import LevelGap, Spread

LEVELS_TITLE = "How far linear loads lie above true ones: elements in the fullest state of each quarter (their number)"


@click.command("verify")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print every check and level as JSON.")
def command(run: Path, as_json: bool) -> None:
    """Check the run folder RUN with code that shares nothing with lowering and search.

    Every limit is derived again from the site files in the run folder, in exact integers and rationals: placements,
    failures, totals, the objective to the cent, and the bound from the certificate. Then every state is worked out
    with losses and machinery at their actual load, and a table says for each level of the facility by how much the
    linear limits are conservative. Ends with 0 when everything holds and with 3 when anything is off.

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
        put_json({"ok": found.ok, "checks": checks, "levels": [asdict(level) for level in found.levels]})
    else:
        lines = [("holds" if check.ok else "FAILS", check.name, check.detail) for check in found.checks]
        put_table("", ("", "check", "what was found"), lines)
        if found.levels:
            columns = ("site", "level", "elements", "where it binds: least, median, most", "everywhere")
            put_table(LEVELS_TITLE, columns, [_level_line(level) for level in found.levels], right=(2,))
        n_failed = len(found.failed())
        say("accepted: every check holds" if found.ok else f"refused: {n_failed} of {len(lines)} checks fail")
    if not found.ok:
        raise Ended(INFEASIBLE)


def _level_line(level: LevelGap) -> tuple[str, str, str, str, str]:
    binding = "nowhere" if level.binding is None else _spread_text(level.binding)
    everywhere = "not loaded" if level.everywhere is None else _spread_text(level.everywhere)
    return level.site, level.level, f"{level.n_elements:,}", binding, everywhere


def _spread_text(spread: Spread) -> str:
    return f"{spread.smallest:.2%}, {spread.median:.2%}, {spread.largest:.2%} ({spread.n:,})"

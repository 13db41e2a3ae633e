"""`gigaplan validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import BAD_INPUT, Ended
from planner.cli.screen import counted, put_json, put_table, say

if TYPE_CHECKING:
    from sites.checks import Finding
    from sites.world import World


@click.command("validate")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print faults and findings as JSON.")
def command(file: str, as_json: bool) -> None:
    """Check FILE, its sites and their graphs; list every fault with file, line and key.

    Warnings are things that are allowed but worth knowing, such as a transformer rated below what the scheme under
    it promises. Ends with 2 when anything is at fault.

    \b
    Examples:
      gigaplan validate my-portfolio.yaml
      gigaplan validate my-site.yaml --json
      gigaplan validate claude-on-azure-1gw
    """
    from sites.faults import InputError
    from sites.world import load_world

    try:
        world = load_world(file)
        findings = _findings(world)
    except InputError as error:
        if not as_json:
            raise
        faults = [{"file": f.file, "line": f.line, "key": f.key, "message": f.message} for f in error.faults]
        put_json({"ok": False, "faults": faults, "findings": []})
        raise Ended(BAD_INPUT) from None
    n_errors = sum(finding.severity == "error" for _, finding in findings)
    if as_json:
        put_json({"ok": n_errors == 0, "faults": [], "findings": [_record(*one) for one in findings]})
    else:
        _show(world, findings)
    if n_errors:
        raise Ended(BAD_INPUT)


def _findings(world: World) -> list[tuple[str, Finding]]:
    """What the checks of every site's graphs found."""
    from sites.checks import check
    from sites.expansion import expand

    return [(one.name, finding) for one in world.sites for finding in check(expand(one.site, world.catalog))]


def _record(site: str, finding: Finding) -> dict[str, Any]:
    return {
        "site": site,
        "severity": finding.severity,
        "element": finding.element,
        "message": finding.message,
    }


def _show(world: World, findings: list[tuple[str, Finding]]) -> None:
    if findings:
        lines = [(one.severity, site, one.element, one.message) for site, one in findings]
        put_table("Findings", ("severity", "site", "element", "what was found"), lines)
    n_errors = sum(finding.severity == "error" for _, finding in findings)
    state = "valid" if n_errors == 0 else "at fault"
    counts = (counted(len(world.sites), "site"), counted(len(world.files), "file"), counted(len(findings), "finding"))
    say(f"{world.portfolio.name}: {state}; {', '.join(counts)}")

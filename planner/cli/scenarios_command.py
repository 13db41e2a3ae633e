"""`gigaplan scenarios`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import BAD_INPUT, Ended
from planner.cli.screen import counted, put_json, put_table, say

if TYPE_CHECKING:
    from sites.scenarios.apply import Applied
    from sites.scenarios.futures import Future, Inherited

LIBRARY = "deal"


@click.command("scenarios")
@click.argument("file", default=LIBRARY)
@click.argument("portfolio", required=False)
@click.option("--name", "names", multiple=True, help="Show this scenario only; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(file: str, portfolio: str | None, names: tuple[str, ...], as_json: bool) -> None:
    """List the scenarios of FILE with their overrides, inherited ones included, and where each comes from.

    FILE is a scenario file or a name of the library (by default `deal`). With PORTFOLIO, a library name, portfolio
    file or site file, every value that changes is shown as it was and as it becomes, and the changed files are loaded
    and checked.

    \b
    Examples:
      gigaplan scenarios
      gigaplan scenarios deal claude-on-azure-1gw
      gigaplan scenarios my-scenarios.yaml my-portfolio.yaml --name late-racks
    """
    from sites.scenarios.futures import load_futures

    futures = load_futures([file])
    chosen = [_named(name, futures) for name in names] if names else list(futures.values())
    found = [_described(future) for future in chosen] if portfolio is None else _resolved(chosen, portfolio)
    if as_json:
        put_json(found)
        return
    for one in found:
        _show(one, resolved=portfolio is not None)


def _named(name: str, futures: dict[str, Future]) -> Future:
    if name not in futures:
        from sites.nearest import unknown

        say(f"gigaplan: {unknown('scenario', name, futures)}")
        raise Ended(BAD_INPUT)
    return futures[name]


def _described(future: Future) -> dict[str, Any]:
    return {
        "name": future.name,
        "title": future.title,
        "extends": list(future.extends),
        "overrides": [_override(one) for one in future.overrides],
    }


def _override(one: Inherited) -> dict[str, Any]:
    override = one.override
    change = {key: getattr(override, key) for key in ("value", "factor", "delay_quarters") if _given(override, key)}
    return {
        "from": one.origin,
        "path": override.path,
        "change": {key: _number(value) for key, value in change.items()},
        "where": override.where,
        "needs": override.needs,
        "status": str(one.provenance.status),
        "source": one.provenance.source,
    }


def _given(override: Any, key: str) -> bool:
    return key in override.model_fields_set


def _number(value: Any) -> Any:
    from fractions import Fraction

    return float(value) if isinstance(value, Fraction) else value


def _resolved(futures: list[Future], portfolio: str) -> list[dict[str, Any]]:
    """Scenarios with what they change in a portfolio; the changed files must load."""
    from sites.scenarios.apply import Documents
    from sites.world import load_world, world_of_files

    documents = Documents(load_world(portfolio).files)
    found = []
    for future in futures:
        resolved = documents.under(future)
        if resolved.n_changes:
            world_of_files(resolved.files)
        applied = [_override(one.inherited) | _effect(one) for one in resolved.applied]
        found.append(_described(future) | {"overrides": applied, "n_changes": resolved.n_changes})
    return found


def _effect(one: Applied) -> dict[str, Any]:
    changes = [{"file": c.file, "place": c.place, "before": c.before, "after": c.after} for c in one.changes]
    return {"changes": changes, "said": one.said}


def _show(one: dict[str, Any], *, resolved: bool) -> None:
    title = f"{one['name']}: {one['title']}"
    if resolved:
        lines = [line for override in one["overrides"] for line in _lines(override)]
        put_table(f"{title} ({counted(one['n_changes'], 'value')} changed)", ("from", "place", "was", "becomes"), lines)
    else:
        columns = ("from", "path", "change", "where", "status")
        put_table(title, columns, [_line(override) for override in one["overrides"]])


def _line(override: dict[str, Any]) -> tuple[str, ...]:
    conditions = [override["where"] or "", f"needs {override['needs']}" if override["needs"] else ""]
    change = "; ".join(f"{key} {_short(value)}" for key, value in override["change"].items())
    where = ", ".join(one for one in conditions if one)
    return override["from"], override["path"], change, where, override["status"]


def _lines(override: dict[str, Any]) -> list[tuple[str, ...]]:
    if override["said"] is not None:
        return [(override["from"], override["path"], override["said"], "nothing changes")]
    return [
        (override["from"], f"{one['file']}: {one['place']}", _short(one["before"]), _short(one["after"]))
        for one in override["changes"]
    ]


def _short(value: Any) -> str:
    from sites.nearest import shortened

    return shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), 60)

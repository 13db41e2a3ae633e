"""`gigaplan doctor --gpu`: check a device and write a report of it."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from planner.cli.exits import OUR_FAULT, Ended
from planner.cli.screen import put_json, put_table, say


def check_gpu(out: Path | None, *, as_json: bool) -> None:
    """Check the device, show what was found, and write it as JSON and beside it as text.

    Parameters: out, the JSON file; as_json, whether JSON is shown in place of tables. Ends with the exit code of a
    machine on which the backend does not run where there is no device, or where it does not agree.
    """
    from kernels.backends import BackendError
    from planner.bench.device_report import HOLDS, device_report

    try:
        report = device_report(say)
    except BackendError as error:
        say(f"gigaplan: {error}")
        raise Ended(OUR_FAULT) from None
    # Messages of libraries may name files below the home folder, whose name is a person's.
    report = json.loads(json.dumps(report).replace(json.dumps(str(Path.home()))[1:-1], "~"))
    text = report_text(report)
    if as_json:
        put_json(report)
    else:
        click.echo(text, nl=False)
    if out is not None:
        out.write_text(json.dumps(report, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
        out.with_suffix(".txt").write_text(text, encoding="utf-8")
        say(f"report  {out} and {out.with_suffix('.txt')}, to send back; it holds {HOLDS}")
    say(verdict(report))
    if not report["is_sound"]:
        raise Ended(OUR_FAULT)


def report_text(report: dict[str, Any]) -> str:
    """The report's tables as text."""
    from planner.bench.device_report import shown

    written = io.StringIO()
    with redirect_stdout(written):
        for title, columns, lines in shown(report):
            put_table(title, columns, lines)
    return written.getvalue()


def verdict(report: dict[str, Any]) -> str:
    """The outcome in a sentence."""
    where = "Numba's simulator" if report["simulated"] else "the device"
    only = " (equality only: memory and speed need a device)" if report["simulated"] else ""
    if report["is_sound"]:
        return f"every kernel agrees with the plain loops on {where}{only}"
    from planner.bench.device_report import compared

    faults = [one["fault"] for one in compared(report) if one["fault"]] + list(report["stage_faults"].values())
    wrong = faults[0] if faults else "its memory does not do as it must"
    return f"{where} is not to be trusted: {wrong}{only}"

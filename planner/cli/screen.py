"""What commands write: tables for people, JSON for machines, one progress line on stderr."""

from __future__ import annotations

import json
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planner.solve.options import Progress

_SECONDS_BETWEEN_LINES = 5.0


def say(text: str) -> None:
    """One line for a person, on stderr, so that stdout stays clean for what was asked."""
    click.echo(text, err=True)


def counted(n: int, noun: str) -> str:
    """`1 site`, `3 sites`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def put_json(content: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False))


def put_table(
    title: str, columns: Sequence[str], lines: Iterable[Sequence[object]], *, right: Sequence[int] = ()
) -> None:
    """A table on stdout; wide cells fold, nothing is cut.

    Parameters: title; columns, their headings; lines, cells in order; right, columns that hold numbers.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in right else "left", overflow="fold")
    for line in lines:
        table.add_row(*(Text(str(cell)) for cell in line))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(table)


class StatusLine:
    """A line on stderr that is rewritten on a terminal; elsewhere every text is a line of its own."""

    def __init__(self) -> None:
        """Nothing shown yet."""
        self.on_terminal = sys.stderr.isatty()
        self._width = 0

    def put(self, text: str) -> None:
        """Show a text in the place of the one before."""
        if self.on_terminal:
            click.echo("\r" + text.ljust(self._width), err=True, nl=False)
            self._width = len(text)
        else:
            click.echo(text, err=True)

    def end(self) -> None:
        """Leave the line."""
        if self.on_terminal and self._width:
            click.echo("", err=True)
            self._width = 0


class ProgressLine:
    """Where a solve stands: one line on a terminal, and a line every few seconds elsewhere."""

    def __init__(self) -> None:
        """Nothing shown yet."""
        self._started = monotonic()
        self._shown_at = -_SECONDS_BETWEEN_LINES
        self._stage = ""
        self._line = StatusLine()

    def __call__(self, progress: Progress) -> None:
        """Show where a solve stands."""
        now = monotonic()
        pause = 0.1 if self._line.on_terminal else _SECONDS_BETWEEN_LINES
        if progress.stage == self._stage and now - self._shown_at < pause:
            return
        self._stage, self._shown_at = progress.stage, now
        self._line.put(_progress_text(progress, now - self._started))

    def end(self) -> None:
        """Leave the line."""
        self._line.end()


def _progress_text(progress: Progress, elapsed_s: float) -> str:
    from planner.report.words import dollars, gap_text

    parts = [f"{progress.stage:<10} {elapsed_s:6.1f} s"]
    if progress.objective is not None:
        parts.append(f"plan {dollars(progress.objective)}")
    if progress.bound is not None:
        parts.append(f"bound {dollars(progress.bound)}")
    if progress.gap is not None:
        parts.append(f"gap {gap_text(progress.gap)}")
    return "  ".join(parts)


def fields_table(title: str, fields: dict[str, Any]) -> None:
    """A table of names and values."""
    put_table(title, ("", ""), list(fields.items()))


class RunsProgress:
    """A progress line for each of several runs, after its name."""

    def __init__(self) -> None:
        """Nothing shown yet."""
        self._name = ""
        self._line = ProgressLine()

    def __call__(self, name: str, progress: Progress) -> None:
        """Show where the solve of a run stands."""
        if name != self._name:
            self._line.end()
            say(name)
            self._name, self._line = name, ProgressLine()
        self._line(progress)

    def end(self) -> None:
        """Leave the line."""
        self._line.end()

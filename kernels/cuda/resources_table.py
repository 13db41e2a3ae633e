"""The section of docs/kernels.md that is made of the compiled kernels' figures."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from kernels.cuda.resources import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kernels.cuda.resources import Resources

BEGIN, END = "<!-- compiled kernels: begin -->", "<!-- compiled kernels: end -->"


def section(found: Iterable[Resources], tools: Mapping[str, str]) -> str:
    """The table of all kernels: registers and occupancy by compute capability.

    Parameters: found, at every compute capability; tools, versions by name. Spills are nowhere, or the gate fails.
    """
    rows = sorted(found, key=lambda one: (one.name, ARCHITECTURES.index(one.cc)))
    heads = " / ".join(ARCHITECTURES)
    lines = [
        f"ptxas {tools['ptxas']}, numba-cuda {tools['numba-cuda']}; figures for compute capability {heads}.",
        "",
        "| body | of kernel | threads | registers | spilled | stack | shared bytes | theoretical occupancy |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for _, group in groupby(rows, key=lambda one: one.name):
        lines.append(_line(list(group)))
    return "\n".join(lines)


def _line(rows: list[Resources]) -> str:
    first = rows[0]
    cells = [
        f"`{first.name.split()[0]}`{' ' + first.name.split()[1] if ' ' in first.name else ''}",
        f"`{first.kernel}`",
        str(first.n_threads),
        " / ".join(str(one.registers) for one in rows),
        _alike([one.spill_bytes for one in rows]),
        _alike([one.stack_bytes for one in rows]),
        _alike([one.shared_bytes for one in rows]),
        " / ".join(f"{one.occupancy:.0%}".replace("%", " %") for one in rows),
    ]
    return f"| {' | '.join(cells)} |"


def _alike(values: list[int]) -> str:
    return f"{values[0]:,}" if len(set(values)) == 1 else " / ".join(f"{value:,}" for value in values)


def with_section(text: str, table: str) -> str:
    """A document with the table between its marks. Raises ValueError where the marks are missing."""
    if BEGIN not in text or END not in text:
        msg = f"the document lacks the marks {BEGIN} and {END}"
        raise ValueError(msg)
    return f"{text.split(BEGIN)[0]}{BEGIN}\n{table}\n{END}{text.split(END, 1)[1]}"


def write_section(document: Path, found: Iterable[Resources], tools: Mapping[str, str]) -> None:
    """Renew the table of a document. Parameters: document, its path; found; tools."""
    document.write_text(with_section(document.read_text("utf-8"), section(found, tools)), "utf-8")

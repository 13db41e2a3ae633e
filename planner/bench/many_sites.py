"""A portfolio of many sites by the clock: generated, planned to a run folder, checked, with the memory of it all."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.bench.portfolio import PortfolioSize, write_portfolio

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY_S = 0.5
"""Seconds between looks at the memory."""


def run_portfolio(
    folder: Path, seed: int, size: PortfolioSize, time_limit_s: float, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Generate a portfolio, plan it with the command `plan`, and check it with the command `verify`.

    Parameters: folder, which must exist, without a folder `run`; seed and size; time_limit_s, seconds of solving;
    tell, called with a line for each step. Raises RuntimeError where planning fails.
    """
    source = folder / "sites"
    source.mkdir(exist_ok=True)
    path = write_portfolio(source, seed, size)
    tell(f"{size.n_sites} sites written to {source}")
    run = folder / "run"
    command = ["plan", str(path), "--backend", "numba", "--time-limit", f"{time_limit_s:g}", "--out", str(run)]
    code, plan_s, memory_bytes, output = _watched(command)
    (folder / "plan.log").write_text(output, encoding="utf-8")
    if not (run / "plan.json").is_file():
        msg = f"plan ended with code {code}: {' '.join(output.strip().splitlines()[-3:])}"
        raise RuntimeError(msg)
    document = json.loads((run / "plan.json").read_text(encoding="utf-8"))
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    tell(f"gap {100 * document['gap']:.2f} % after {document['wall_s']:.0f} s")
    verify_code, verify_s, verify_bytes, _ = _watched(["verify", str(run)])
    return {
        "gap": document["gap"], "objective": document["objective"], "bound": document["bound"],
        "solve_s": document["wall_s"], "stop_reason": document["stop_reason"], "plan_s": plan_s,
        "peak_memory_bytes": memory_bytes, "verify_s": verify_s, "verify_peak_memory_bytes": verify_bytes,
        "verified": verify_code == 0, "times": [manifest["times"]],
        "progress": [line for line in output.splitlines() if "gap" in line],
    }  # fmt: skip


def _watched(arguments: list[str]) -> tuple[int, float, int | None, str]:
    """Run a command of ours; its exit code, seconds, peak memory of all its processes together, and stderr."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "planner.cli.main", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, errors="replace",
    )  # fmt: skip
    peaks = [0]
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks, ended), daemon=True)
    watcher.start()
    _, output = process.communicate()
    ended.set()
    watcher.join()
    return process.returncode, time.monotonic() - started, peaks[0] or None, output


def _watch(pid: int, peaks: list[int], ended: threading.Event) -> None:
    while not ended.wait(_EVERY_S):
        peaks[0] = max(peaks[0], memory_of_tree(pid))


def memory_of_tree(pid: int) -> int:
    """Bytes that a process and all below it hold, shared pages shared out among those that map them; 0 if unknown."""
    total, todo = 0, [pid]
    while todo:
        one = todo.pop()
        total += _memory_bytes(one)
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo += [int(child) for child in children.read_text(encoding="ascii").split()]
            except OSError:
                continue
    return total


def _memory_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)

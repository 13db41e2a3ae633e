"""What a solver writes down while it runs: plans and bounds with the second at which each was known.

Every event is on disk when it happens, so that a solver that must be stopped leaves what it had found.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.bench.reduced import REDUCED

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.export.model import IntegerModel

EVENTS = "events.jsonl"
END = "end.json"


@dataclass(frozen=True)
class Event:
    """One piece of news."""

    elapsed_s: float
    claimed_cents: float | None
    """What the solver says that its plan is worth."""
    bound_cents: float | None
    """What the solver says that no plan can be worth more than."""
    plan: str | None
    """File of the plan, where there is a new one."""


class TraceWriter:
    """Writes events; the clock runs from `start`."""

    def __init__(self, folder: Path) -> None:
        """Take an existing folder."""
        self.folder = folder
        self._started, self._cpu_started_s = time.monotonic(), time.process_time()
        self._n_plans = 0
        self._shown: tuple[float | None, float | None] = (None, None)

    def start(self) -> None:
        """Start the clock: the model is built, the solver begins."""
        self._started, self._cpu_started_s = time.monotonic(), time.process_time()

    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def news(
        self,
        claimed_cents: float | None,
        bound_cents: float | None,
        n_racks: NDArray[np.integer[Any]] | None = None,
        elapsed_s: float | None = None,
    ) -> None:
        """Write one event, unless it says nothing new.

        Parameters: claimed_cents and bound_cents; n_racks of a new plan; elapsed_s by the solver's own clock.
        """
        seconds = self.elapsed_s() if elapsed_s is None else elapsed_s
        if n_racks is None and (claimed_cents, bound_cents) == self._shown:
            return
        self._shown = (claimed_cents, bound_cents)
        plan = None
        if n_racks is not None:
            plan = f"plan-{self._n_plans:05d}.npy"
            self._n_plans += 1
            np.save(self.folder / plan, n_racks.astype(np.int32), allow_pickle=False)
        line = json.dumps({"elapsed_s": seconds, "claimed": claimed_cents, "bound": bound_cents, "plan": plan})
        with (self.folder / EVENTS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def end(self, status: str) -> None:
        """Write how the solver ended, and what it took."""
        content = {
            "status": status,
            "wall_s": self.elapsed_s(),
            "cpu_s": time.process_time() - self._cpu_started_s,
            "peak_memory_bytes": _peak_memory_bytes(),
        }
        (self.folder / END).write_text(json.dumps(content) + "\n", encoding="utf-8")


def read_events(folder: Path) -> list[Event]:
    """Every whole event that a solver wrote, in order."""
    path = folder / EVENTS
    if not path.exists():
        return []
    events = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            one = json.loads(line)
            events.append(Event(one["elapsed_s"], one["claimed"], one["bound"], one["plan"]))
    return events


def read_end(folder: Path) -> dict[str, Any] | None:
    """How the solver ended; None when it was stopped or died."""
    path = folder / END
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else None


def read_plan(folder: Path, name: str) -> NDArray[np.int32]:
    """[n_rows, n_configurations, n_periods] racks of a plan, or [n_columns] an answer to the reduced form."""
    racks: NDArray[np.int32] = np.load(folder / name, allow_pickle=False)
    return racks


def answer_of(model: IntegerModel, form: str, value: NDArray[np.int64]) -> NDArray[np.int64]:
    """What to keep of a whole solution: racks [n_rows, n_configurations, n_periods], of the reduced form every column.

    Parameters: model; form, one of `reduced.FORMS`; value [n_columns].
    """
    idx = model.racks_column_idx
    return value if form == REDUCED else np.where(idx >= 0, value[idx], 0)


def _peak_memory_bytes() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

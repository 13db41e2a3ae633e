"""What became of a task: done, or failed with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

INPUT = "input"
"""The files of the unit are faulty."""
MEMORY = "memory"
"""It ran out of the memory that it was allowed, or needs more than there is."""
KILLED = "killed"
"""Its process ended by a signal or by itself."""
REFUSED = "refused"
"""The independent checker does not accept its plan."""
ROOM = "room"
"""Its result could not be written; that is the place's fault, so the unit is left and not quarantined."""
ERROR = "error"
"""A fault of ours."""


@dataclass(frozen=True)
class Failure:
    """Why a task failed."""

    kind: str
    text: str
    """In a sentence or a few lines."""
    exception: str | None = None
    """Name of the exception's class."""
    traceback: str | None = None
    exit_code: int | None = None
    """Of the process, where it ended; below 0 the number of the signal."""

    def to_json(self) -> dict[str, Any]:
        """Without the traceback, which has a file of its own."""
        return {"kind": self.kind, "text": self.text, "exception": self.exception, "exit_code": self.exit_code}


@dataclass(frozen=True)
class Outcome:
    """The end of one task."""

    key: str
    failure: Failure | None = None
    """None: the result is in the store."""
    gap: float | None = None
    """Proven gap of the plan."""
    seconds: float = 0.0
    """Wall clock that it took."""


@dataclass(frozen=True)
class Beat:
    """Where a task that is being worked on stands."""

    key: str
    stage: str
    objective: int | None = None
    bound: int | None = None
    """Cents."""

"""Where a batch stands, in one line: done, failed, left, time left, gaps, and what is being worked on."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from planner.batch.outcome import Beat
from planner.solve.options import gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.batch.executor import Event


class Progress:
    """Counts outcomes and says where a batch stands."""

    def __init__(self, sizes: Mapping[str, float], n_there: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Parameters: sizes, by key of the tasks to be computed, to which their times are about proportional; n_there,
        results that were there already.
        """
        self.n_tasks, self.n_there = len(sizes), n_there
        self._size_left = dict(sizes)
        self._size_of_all = sum(sizes.values())
        self.n_done = self.n_failed = 0
        self._gaps: list[float] = []
        self._beat: Beat | None = None
        self._clock, self._began_s = clock, clock()

    def take(self, event: Event) -> None:
        """Note what happened."""
        if isinstance(event, Beat):
            self._beat = event
            return
        self._size_left.pop(event.key, None)
        if event.failure is not None:
            self.n_failed += 1
        else:
            self.n_done += 1
            if event.gap is not None:
                self._gaps.append(event.gap)

    @property
    def n_left(self) -> int:
        """Tasks without an outcome."""
        return self.n_tasks - self.n_done - self.n_failed

    @property
    def left_s(self) -> float | None:
        """Time left at the pace so far, by size; None before the first outcome."""
        left = sum(self._size_left.values())
        ended = self._size_of_all - left
        return (self._clock() - self._began_s) / ended * left if ended else None

    def text(self) -> str:
        """The line."""
        parts = [f"done {self.n_done:,}"]
        if self.n_there:
            parts.append(f"there already {self.n_there:,}")
        parts += [f"failed {self.n_failed:,}", f"left {self.n_left:,}"]
        if self.left_s is not None and self.n_left:
            parts.append(f"about {duration(self.left_s)} left")
        if self._gaps:
            parts.append(f"gap worst {max(self._gaps):.2%}, median {statistics.median(self._gaps):.2%}")
        if self._beat is not None and self.n_left:
            parts.append(_now(self._beat))
        return "  ".join(parts)


def duration(seconds: float) -> str:
    """`40 s`, `12 min` or `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _now(beat: Beat) -> str:
    from planner.report.words import dollars

    text = f"now {beat.key[:8]} {beat.stage}"
    if beat.bound is None:
        return text
    text += f", bound {dollars(beat.bound)}"
    return text if beat.objective is None else f"{text}, gap {gap(beat.objective, beat.bound):.2%}"

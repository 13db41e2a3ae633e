"""What verification found: one line for each check, and whether all of them hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that was checked."""

    name: str
    ok: bool
    detail: str
    """What was found; for a failed check where, and by how much."""


@dataclass(frozen=True)
class Spread:
    """Shares over some elements and periods, each in its fullest state."""

    n: int
    smallest: float
    median: float
    largest: float


@dataclass(frozen=True)
class LevelGap:
    """How far the linear limits of one level of a site lie above the nonlinear truth, as a share of it."""

    site: str
    level: str
    """Kind of power element, `meter`, `liquid-header`, `air-header`, `coolers` or `chillers`."""
    n_elements: int
    everywhere: Spread | None
    """None where nothing is loaded."""
    binding: Spread | None
    """Where the linear load is nearly all of the capacity; None where it nowhere is."""


@dataclass(frozen=True)
class Report:
    """Everything that was checked."""

    checks: tuple[Check, ...]
    levels: tuple[LevelGap, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every check holds; a report without checks does not."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def failed(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.ok)


def check_of(name: str, faults: list[str], held: str, *, n_shown: int = 5) -> Check:
    """A check that holds without faults; otherwise its detail shows the first of them and how many there are."""
    if not faults:
        return Check(name, True, held)
    more = f" (and {len(faults) - n_shown} more)" if len(faults) > n_shown else ""
    return Check(name, False, "; ".join(faults[:n_shown]) + more)

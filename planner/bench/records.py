"""What a race measures, and the file in which it is kept line by line, so that a race that is stopped goes on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from planner.bench.campus import CampusSize

OURS = "gigaplan"
PEERS = ("highs", "highs-ipm", "cp-sat", "pdlp")
BOUND_ONLY = frozenset({"highs-ipm", "pdlp"})
"""Solvers of the linear relaxation: they bring a bound and no plan."""
KEPT = "race.jsonl"


class ForeignRaceError(ValueError):
    """A folder that keeps a race of other campuses, cores, machines or versions."""


@dataclass(frozen=True)
class Campus:
    """A generated campus, lowered."""

    seed: int
    n_rows: int
    n_configurations: int
    n_periods: int
    n_limits: int
    n_blocks: int
    lowering_s: float


@dataclass(frozen=True)
class Mark:
    """What a solver had by a time."""

    seed: int
    solver: str
    form: str
    time_s: float
    value_cents: int | None
    """Of its best plan that keeps every rule, in integers; None without one."""
    bound_cents: float | None
    """Ours is proven in integers; a peer's is its own word."""
    status: str
    wall_s: float | None
    """Of the whole run that this was read from; None when it had to be stopped or died."""
    cpu_s: float | None
    """Processor time of that run over all cores; far below cores times seconds, the machine was busy elsewhere."""
    peak_memory_bytes: int | None
    n_refused: int
    """Plans that were better by the solver's word but break a rule."""
    verified: bool | None
    """Whether the checker accepts the run; None where it was not asked."""

    @property
    def gap(self) -> float | None:
        """(bound − value) / |bound|; None while plan or bound is missing."""
        if self.value_cents is None or self.bound_cents is None or not self.bound_cents:
            return None
        return (self.bound_cents - self.value_cents) / abs(self.bound_cents)

    @property
    def key(self) -> tuple[int, str, str, float]:
        """Seed, solver, form and time."""
        return (self.seed, self.solver, self.form, self.time_s)


@dataclass(frozen=True)
class Race:
    """Everything that was measured on campuses of one size."""

    size: CampusSize
    n_cores: int
    warm_up_s: float
    """Our first process of all: whatever is not yet compiled is compiled and cached."""
    load_before: float | None
    """Processes that kept the machine busy before the race, mean of a minute; None where the system does not say."""
    campuses: tuple[Campus, ...]
    marks: tuple[Mark, ...]

    @property
    def times_s(self) -> tuple[float, ...]:
        """Every time at which some solver was read."""
        return tuple(sorted({mark.time_s for mark in self.marks}))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Every campus that some solver met."""
        return tuple(sorted({mark.seed for mark in self.marks}))

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """Every solver and form that took part, ours first."""
        found = {(mark.solver, mark.form) for mark in self.marks}
        order = (OURS, *PEERS)
        return tuple(sorted(found, key=lambda entry: (order.index(entry[0]), entry[1])))


class Keeper:
    """Finished marks of a race, on disk as soon as they are known."""

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        """Take up what the folder keeps already.

        Parameters: folder, made where there is none; about, size, cores, machine and versions. Raises
        ForeignRaceError where the folder's race was about something else.
        """
        self._path = folder / KEPT
        self.warm_up_s = 0.0
        self.load_before: float | None = None
        self._campuses: dict[int, Campus] = {}
        self._marks: dict[tuple[int, str, str, float], Mark] = {}
        folder.mkdir(parents=True, exist_ok=True)
        lines = self._lines()
        if not lines:
            self._put("about", about)
            return
        kept = lines[0].get("about")
        if kept != json.loads(json.dumps(about)):
            differs = [name for name in about if not isinstance(kept, dict) or kept.get(name) != about[name]]
            msg = f"{self._path} keeps a race that differs in {', '.join(differs) or 'form'}; name another folder"
            raise ForeignRaceError(msg)
        for line in lines[1:]:
            self._take(line)

    def _lines(self) -> list[dict[str, Any]]:
        """Every whole line; a last one that was cut off is dropped."""
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._path.write_text(whole, encoding="utf-8")
        return [json.loads(line) for line in whole.splitlines()]

    def _take(self, line: dict[str, Any]) -> None:
        if "campus" in line:
            campus = Campus(**line["campus"])
            self._campuses[campus.seed] = campus
        elif "mark" in line:
            known = {item.name for item in fields(Mark)}
            mark = Mark(**{name: value for name, value in line["mark"].items() if name in known})
            self._marks[mark.key] = mark
        elif "start" in line:
            self.warm_up_s, self.load_before = line["start"]["warm_up_s"], line["start"]["load_before"]

    def _put(self, kind: str, content: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({kind: content}) + "\n")

    def started(self, warm_up_s: float, load_before: float | None) -> None:
        """Keep what the first process took, and how busy the machine was."""
        self.warm_up_s, self.load_before = warm_up_s, load_before
        self._put("start", {"warm_up_s": warm_up_s, "load_before": load_before})

    def keep_campus(self, campus: Campus) -> None:
        """Keep one campus."""
        self._campuses[campus.seed] = campus
        self._put("campus", asdict(campus))

    def keep(self, marks: Iterable[Mark]) -> None:
        """Keep the marks of a run that has ended."""
        for mark in marks:
            self._marks[mark.key] = mark
            self._put("mark", asdict(mark))

    def has(self, seed: int, solver: str, form: str, times_s: Iterable[float]) -> bool:
        """Whether all these marks are kept."""
        return all((seed, solver, form, time_s) in self._marks for time_s in times_s)

    def race(self, size: CampusSize, n_cores: int) -> Race:
        """Everything kept so far."""
        campuses = tuple(self._campuses[seed] for seed in sorted(self._campuses))
        marks = tuple(self._marks[key] for key in sorted(self._marks))
        return Race(size, n_cores, self.warm_up_s, self.load_before, campuses, marks)

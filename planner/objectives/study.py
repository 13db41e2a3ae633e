"""Runs of a study: one folder for each question, kept from an earlier time where nothing has changed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.objectives.asking import asking
from planner.objectives.measuring import weights_text
from planner.run.create import RunRequest, create_run
from planner.run.folder import MANIFEST, PLAN, is_run_folder, read_json
from sites.world import input_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from planner.objectives.measuring import Weights
    from planner.solve.options import Progress, SolveOptions
    from sites.schema.objective import Measure
    from sites.world import World

INTERRUPTED = "interrupted"
_OPTIONS = ("time_limit_s", "work_limit")


@dataclass(frozen=True)
class Study:
    """A world, how it is planned, and where the runs go."""

    world: World
    out: Path
    options: SolveOptions
    tell: Callable[[str, Progress], None]
    """Called with the name of a run and the solver's progress."""

    def ask(self, name: str, weights: Weights, keys: Mapping[str, Any] | None = None) -> Answer:
        """Plan the world under weights, or take the run that a folder of this name holds already.

        Parameters: keys, of the portfolio that change besides.
        """
        world = asking(self.world, {**(keys or {}), "objective": {"weights": weights_text(weights)}})
        folder = self.out / name
        document = self._kept(world, folder)
        if document is None:
            document = create_run(
                world, RunRequest(folder, self.options), lambda progress: self.tell(name, progress)
            ).document
        return Answer(name, folder, weights, document)

    def _kept(self, world: World, folder: Path) -> dict[str, Any] | None:
        """The plan of a finished run of this very world with these options."""
        if not is_run_folder(folder):
            return None
        record, document = read_json(folder / MANIFEST), read_json(folder / PLAN)
        same = record.get("input_hash") == input_hash(world) and record.get("seed") == self.options.seed
        same &= all(record.get("options", {}).get(key) == getattr(self.options, key) for key in _OPTIONS)
        return document if same and document["stop_reason"] != INTERRUPTED else None


@dataclass(frozen=True)
class Answer:
    """One run of a study."""

    name: str
    folder: Path
    weights: Weights
    document: Mapping[str, Any]

    def value(self, measure: Measure) -> Fraction:
        """What the plan amounts to in a measure that is weighed, or in money."""
        if "aim" not in self.document:
            return Fraction(int(self.document["objective"]), 100)
        return Fraction(self.document["aim"]["values"][str(measure)]["value"])

    @property
    def was_interrupted(self) -> bool:
        """Whether nothing more should be begun."""
        return bool(self.document["stop_reason"] == INTERRUPTED)

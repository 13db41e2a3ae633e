"""Change one operator in a CUDA kernel and see a test fail: `python -m tests.mutate_cuda --n 12 --seed 7`.

Mutants are drawn at random over all kernel bodies and device functions of `kernels/cuda`, each with the same chance,
and run in a copy of the tree in Numba's simulator. A mutant is killed when a test of the simulator fails that loads
its module, or does not end. The exit code is 1 when one survives; mutants that no test can kill stand in `EQUIVALENT`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))
from mutants import Mutant, mutants

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
CUDA = Path("kernels") / "cuda"
COPIED = ("kernels", "planner", "sites", "tests", "pyproject.toml")
EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "hourly_sites.py", "if model.kind[c] != ELEMENT:", "if model.kind[c] > ELEMENT:"
    ): "ELEMENT is the least kind of class",
    (
        "hourly_loads.py", "if model.kind[c] == MACHINERY:", "if model.kind[c] >= MACHINERY:"
    ): "MACHINERY is the greatest kind of class",
    (
        "hourly_loads.py", "if model.cooler_kind[plant] == WET:", "if model.cooler_kind[plant] >= WET:"
    ): "WET is the greatest kind of cooler",
    (
        "hourly_sites.py",
        "if tile.first_scenario + place % tile.n_scenarios == 0:",
        "if tile.first_scenario + place % tile.n_scenarios <= 0:",
    ): "no scenario has a number below 0",
    ("lane_search.py", "while turn < 2:", "while turn != 2:"): "turns count up by one from 0",
    (
        "block_refill.py",
        "while turn < 2 and (turn == 0 or shared[LEVEL] < LEVEL_ONLY):",
        "while turn != 2 and (turn == 0 or shared[LEVEL] < LEVEL_ONLY):",
    ): "turns count up by one from 0 or 1",
    (
        "lane_search.py", "while place < block_order_idx.shape[0]:", "while place != block_order_idx.shape[0]:"
    ): "places count up by one from 0",
    (
        "lane_search.py",
        "while number < room.blocks.shape[1] and room.blocks[np.uint32(step), number] >= 0:",
        "while number != room.blocks.shape[1] and room.blocks[np.uint32(step), number] >= 0:",
    ): "numbers count up by one, from 0 or from the end",
}  # fmt: skip
"""Reasons by file, line and mutated line, stripped: the change alters nothing that a caller can see."""
LOADED = """
import json, os, sys, time
from hypothesis import Phase, settings
START = time.perf_counter()
def pytest_collection_finish(session):
    settings.register_profile('mutants', settings.default, phases=(Phase.explicit, Phase.generate))
    settings.load_profile('mutants')
def pytest_sessionfinish(session):
    names = sorted(name.rpartition('.')[2] for name in sys.modules if name.startswith('kernels.cuda.'))
    with open(os.environ['LOADED_MODULES'], 'w') as file:
        json.dump({'modules': names, 'seconds': time.perf_counter() - START}, file)
"""


@dataclass(frozen=True)
class SimulatorTests:
    """One file of tests: the modules of `kernels.cuda` that it loads, and how long it takes."""

    file: str
    modules: frozenset[str]
    seconds: float


@dataclass(frozen=True)
class Drawn:
    """A mutant of a file."""

    file: Path
    source: str
    mutant: Mutant

    @property
    def changed(self) -> str:
        """The mutated source."""
        return self.mutant.applied(self.source)

    @property
    def key(self) -> tuple[str, str, str]:
        """File, line and mutated line."""
        before, after = (text.splitlines()[self.mutant.line - 1].strip() for text in (self.source, self.changed))
        return self.file.name, before, after

    def diff(self) -> str:
        """The change as a unified diff without context."""
        before, after = self.source.splitlines(), self.changed.splitlines()
        return "\n".join(list(difflib.unified_diff(before, after, lineterm="", n=0))[2:])


def all_mutants(tree: Path) -> list[Drawn]:
    """Every mutant of every module of the backend in a tree, in order."""
    sources = {file.relative_to(tree): file.read_text("utf-8") for file in sorted((tree / CUDA).glob("*.py"))}
    return [Drawn(file, source, one) for file, source in sources.items() for one in mutants(source)]


def run_tests(tree: Path, file: str, seconds: float) -> tuple[bool, str]:
    """Whether a file of simulator tests passes in a tree, and the last line of what it prints."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "loaded_modules"]
    variables = {
        "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": f"{tree}{os.pathsep}{tree.parent}", "PYTHONDONTWRITEBYTECODE": "1",
        "LOADED_MODULES": str(tree.parent / "loaded.json"),
    }  # fmt: skip
    try:
        done = subprocess.run(
            [*command, f"--basetemp={tree.parent / 'pytest'}", file],
            cwd=tree, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"no end within {seconds:.0f} s"
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return done.returncode == 0, (failed or lines or [""])[-1]


def baseline(tree: Path) -> list[SimulatorTests]:
    """Every file of simulator tests, quickest first. Raises RuntimeError where one fails without a mutant."""
    found = []
    for path in sorted((tree / "tests" / "simulator").glob("test_*.py")):
        file = str(path.relative_to(tree))
        passed, text = run_tests(tree, file, 1800)
        if not passed:
            msg = f"{file} fails without a mutant: {text}"
            raise RuntimeError(msg)
        loaded = json.loads((tree.parent / "loaded.json").read_text("utf-8"))
        found.append(SimulatorTests(file, frozenset(loaded["modules"]), loaded["seconds"]))
    return sorted(found, key=lambda one: one.seconds)


def killer(tree: Path, drawn: Drawn, tests: Sequence[SimulatorTests]) -> str | None:
    """What kills a mutant, or None where it survives every test of its module."""
    path = tree / drawn.file
    path.write_text(drawn.changed, "utf-8")
    try:
        for one in tests:
            if drawn.file.stem in one.modules:
                passed, text = run_tests(tree, one.file, 60 + 8 * one.seconds)
                if not passed:
                    return f"{one.file}: {text}"
    finally:
        path.write_text(drawn.source, "utf-8")
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate_cuda", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=12, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw")
    parser.add_argument("--only", default="", help="draw from modules of kernels.cuda whose name begins so")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        candidates = [one for one in all_mutants(tree) if one.file.stem.startswith(options.only)]
        drawn = random.Random(options.seed).sample(candidates, min(options.n, len(candidates)))
        say(f"{len(drawn)} of {len(candidates)} mutants, seed {options.seed}")
        tests = baseline(tree)
        say(*(f"{one.file}: passes in {one.seconds:.1f} s" for one in tests))
        fates = [judged(tree, one, tests) for one in drawn]
    say(", ".join(f"{fates.count(fate)} {fate}" for fate in ("killed", "equivalent", "survived")))
    return 1 if "survived" in fates else 0


def copied(folder: Path) -> Path:
    """A copy of the tree in a folder."""
    tree = folder / "tree"
    tree.mkdir()
    (folder / "loaded_modules.py").write_text(LOADED, "utf-8")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(source, tree / name)
    return tree


def judged(tree: Path, drawn: Drawn, tests: Sequence[SimulatorTests]) -> str:
    """`killed`, `survived` or `equivalent`, with what is said about it."""
    start, place = time.perf_counter(), f"{drawn.file}:{drawn.mutant.line} {drawn.mutant.function}"
    reason = EQUIVALENT.get(drawn.key)
    found = None if reason else killer(tree, drawn, tests)
    fate = "equivalent" if reason else "survived" if found is None else "killed"
    why = reason or found or "no test failed"
    say(f"{fate.upper()} {place} ({time.perf_counter() - start:.0f} s)", drawn.diff(), f"  {why}")
    return fate


def say(*lines: str) -> None:
    """Print at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""A task: everything that one unit of work depends on, and the key that follows from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.inputs import InputFile

FORMAT = "gigaplan-task/1"
ALONE = "alone"
"""Method of a unit that is planned for itself."""
TOGETHER = "together"
"""Method of a unit that is solved with others of the same graph by the batched kernels."""
_PACKAGES = ("sites", "kernels", "planner")
_DEPENDENCIES = (
    "numpy", "numba", "llvmlite", "networkx", "pydantic", "pint", "pyyaml", "highspy", "pyarrow", "numpy-financial",
)  # fmt: skip
_ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Settings:
    """How a unit is planned; work is counted in steps, so that the result is the same on every machine."""

    backend: str = "auto"
    seed: int = 0
    work_limit: int = 20_000
    """Search steps times lanes."""
    gap: float | None = 0.005
    """Proven gap at which the search stops; None: the work limit alone."""
    verify: bool = True
    """Whether the plan is checked as `gigaplan verify` does."""


@dataclass(frozen=True)
class InputReference:
    """An input file by its content."""

    role: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Task:
    """One unit of work. Equal tasks have equal results, whoever computes them, where and with what others."""

    inputs: tuple[InputReference, ...]
    """Files after scenario and choice of site, the catalogue's included."""
    settings: Settings
    code: str
    """Digest of our sources and the versions of the packages that decide numbers."""
    method: str = ALONE
    group: str = ""
    """Digest of the tasks that are solved together with this one; empty where it is planned for itself."""
    in_full: bool = True
    """Whether a plan that was solved together with others is checked in full too, and not in its numbers alone."""

    @property
    def key(self) -> str:
        """SHA-256 of all of it, 64 hexadecimal digits."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The task as JSON values."""
        return {"format": FORMAT, **asdict(self), "inputs": [asdict(one) for one in self.inputs]}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Task:
        """The task that `to_json` has written; raises ValueError for anything else."""
        try:
            if content["format"] != FORMAT:
                msg = f"the format is {content['format']!r}, due is {FORMAT}"
                raise ValueError(msg)
            return cls(
                inputs=tuple(InputReference(**one) for one in content["inputs"]),
                settings=Settings(**content["settings"]),
                code=content["code"],
                method=content["method"],
                group=content["group"],
                in_full=content["in_full"],
            )
        except (KeyError, TypeError) as error:
            msg = f"this is not a task: {error}"
            raise ValueError(msg) from None


def references(files: Sequence[InputFile]) -> tuple[InputReference, ...]:
    """Input files by their content."""
    return tuple(InputReference(file.role, file.name, file.sha256) for file in files)


def digest(content: Any) -> str:
    """SHA-256 of JSON values in one canonical form."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@cache
def code_digest() -> str:
    """SHA-256 of all our Python sources and of the versions of the packages beneath them; read once in a process."""
    total = hashlib.sha256()
    for package in _PACKAGES:
        for file in sorted((_ROOT / package).rglob("*.py")):
            total.update(file.relative_to(_ROOT).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(file.read_bytes()).digest())
    for name, version in dependency_versions().items():
        total.update(f"{name} {version}\0".encode())
    return total.hexdigest()


def dependency_versions() -> dict[str, str]:
    """Versions of the packages that decide numbers."""
    return {name: _version(name) for name in _DEPENDENCIES}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"

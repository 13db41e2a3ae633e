"""The store of a batch: inputs by content, results by key, each whole or absent; the folders are the only record.

`inputs/SHA256`, `units/KEY/` and `quarantine/KEY/`. A result is written into a folder beside its place, brought to
the disk file by file, and then renamed, so that a power cut leaves it whole or absent.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sites.inputs import InputFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from planner.batch.outcome import Failure
    from planner.batch.task import InputReference, Task

SUMMARY, TASK, TIMINGS = "summary.json", "task.json", "timings.json"
RUN = "run"
"""Run folder of a unit that was planned for itself, as `gigaplan plan` writes it."""
REASON, TRACEBACK = "reason.json", "traceback.txt"
PARTIAL = ".partial"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of a place that takes no more."""


class StoreError(Exception):
    """An input of the store is missing or is not what its name says."""


@dataclass(frozen=True)
class Store:
    """A folder with inputs, results and failures; any number of processes may use it at once."""

    folder: Path

    def put_inputs(self, files: Sequence[InputFile]) -> None:
        """Keep input files under the hash of their content; those that are there already are left."""
        for file in files:
            place = self._input(file.sha256)
            if not place.is_file():
                write_durably(place, file.content)

    def inputs(self, references: Sequence[InputReference]) -> tuple[InputFile, ...]:
        """The input files of a task; raises StoreError where one is missing or damaged."""
        return tuple(self._read(reference) for reference in references)

    def unit(self, key: str) -> Path:
        """Folder of a result, whether it is there or not."""
        return self.folder / "units" / key

    def quarantined(self, key: str) -> Path:
        """Folder of a failure, whether it is there or not."""
        return self.folder / "quarantine" / key

    def has(self, key: str) -> bool:
        """Whether there is a result."""
        return (self.unit(key) / SUMMARY).is_file()

    def summary(self, key: str) -> dict[str, Any]:
        """What a result says of itself, the same bytes wherever it was computed."""
        return _json_of(self.unit(key) / SUMMARY)

    def timings(self, key: str) -> dict[str, Any]:
        """What a result took: times and machine, which differ from run to run."""
        return _json_of(self.unit(key) / TIMINGS)

    def reason(self, key: str) -> dict[str, Any] | None:
        """Why a task is in quarantine; None where it is not."""
        place = self.quarantined(key) / REASON
        return _json_of(place) if place.is_file() else None

    @contextmanager
    def new_unit(self, task: Task) -> Iterator[Path]:
        """A folder that becomes the task's result when the block ends well, and is removed when it does not."""
        with self._new_folder(self.unit(task.key), SUMMARY) as folder:
            yield folder
            _write_json(folder / TASK, task.to_json())

    def quarantine(self, task: Task, failure: Failure) -> None:
        """Keep the reason of a failure; one that is there already gives way."""
        place = self.quarantined(task.key)
        shutil.rmtree(place, ignore_errors=True)
        with self._new_folder(place, REASON) as folder:
            _write_json(folder / REASON, failure.to_json())
            _write_json(folder / TASK, task.to_json())
            if failure.traceback is not None:
                (folder / TRACEBACK).write_text(failure.traceback, encoding="utf-8")

    def release(self, key: str) -> None:
        """Take a task out of quarantine."""
        shutil.rmtree(self.quarantined(key), ignore_errors=True)

    def sweep(self) -> None:
        """Remove what processes that were killed have left half written; only while no other batch uses the store."""
        for name in ("", "inputs", "units", "quarantine"):
            for left in (self.folder / name).glob(f".*{PARTIAL}"):
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)

    def _input(self, sha256: str) -> Path:
        return self.folder / "inputs" / sha256

    def _read(self, reference: InputReference) -> InputFile:
        place = self._input(reference.sha256)
        try:
            content = place.read_bytes()
        except OSError as error:
            msg = f"{place}: input '{reference.name}' cannot be read ({error.strerror}); start the batch again"
            raise StoreError(msg) from None
        if hashlib.sha256(content).hexdigest() != reference.sha256:
            msg = f"{place}: this is not what its name says; remove it and start the batch again"
            raise StoreError(msg)
        return InputFile(reference.role, reference.name, content)

    @contextmanager
    def _new_folder(self, place: Path, mark: str) -> Iterator[Path]:
        """Parameters: mark, the file without which a folder in this place is nothing."""
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{place.name[:16]}.", suffix=PARTIAL, dir=place.parent))
        try:
            yield partial
            partial.chmod(0o755)
            flush(partial)
            try:
                partial.rename(place)
            except OSError:
                if not place.is_dir():
                    raise
                if not (place / mark).is_file():  # something else, or the rest of what was deleted in part
                    shutil.rmtree(place)
                    partial.rename(place)
                # else another worker was first, with the same result
            flush_folder(place.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def write_durably(place: Path, content: bytes) -> None:
    """Write a file beside its place, bring it to the disk, and rename it."""
    write_file_durably(place, lambda path: path.write_bytes(content))


def write_file_durably(place: Path, write: Callable[[Path], object]) -> None:
    """Have a file written beside its place, bring it to the disk, and rename it.

    Parameters: write, given the path to write to.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name[:16]}.", suffix=PARTIAL, dir=place.parent)
    os.close(descriptor)
    partial = Path(name)
    try:
        write(partial)
        partial.chmod(0o644)
        _flush_file(partial)
        partial.replace(place)
        flush_folder(place.parent)
    finally:
        partial.unlink(missing_ok=True)


def flush(folder: Path) -> None:
    """Bring a folder and all in it to the disk."""
    for below in folder.iterdir():
        if below.is_dir():
            flush(below)
        else:
            _flush_file(below)
    flush_folder(folder)


def _flush_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    from planner.run.folder import write_json

    write_json(path, content)


def _json_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content

"""The run folder: written beside its final place and renamed, so that it is whole or absent."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PLAN, CERTIFICATE, MANIFEST, REPORT, GUIDE = (
    "plan.json",
    "certificate.json",
    "manifest.json",
    "report.html",
    "guide.npz",
)
INPUTS = "inputs"


def is_run_folder(path: Path) -> bool:
    """Whether a folder holds a run: its plan and its manifest."""
    return (path / PLAN).is_file() and (path / MANIFEST).is_file()


def refuse_foreign_folder(path: Path) -> None:
    """Raise InputError unless a run can be written to `path`: it is absent, empty, or a run folder to replace."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise InputError([Fault(str(path), None, "--out", "this exists and is not a folder; name another place")])
    if path.is_dir() and any(path.iterdir()) and not is_run_folder(path):
        message = "this folder exists and is not a run folder; name a new one, so that nothing of yours is replaced"
        raise InputError([Fault(str(path), None, "--out", message)])
    _refuse_unwritable(path)


def _refuse_unwritable(path: Path) -> None:
    """Refuse a place that cannot be written before the plan is made, not after."""
    parents = path.absolute().parents
    above = next((one for one in parents if one.exists()), parents[-1])
    if not above.is_dir():
        message = f"'{above}' is not a folder; name another place"
        raise InputError([Fault(str(path), None, "--out", message)])
    if not os.access(above, os.W_OK | os.X_OK):
        message = f"the folder '{above}' may not be written; name another place"
        raise InputError([Fault(str(path), None, "--out", message)])


@contextmanager
def new_run_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes `path` when the block ends well, and is removed when it does not.

    Parameters: path, the final place; a run folder there is replaced. Raises InputError for any other folder.
    """
    refuse_foreign_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
    except OSError as error:
        message = f"this cannot be written ({error.strerror}); name another place"
        raise InputError([Fault(str(path), None, "--out", message)]) from None
    try:
        yield partial
        partial.chmod(0o755)
        _replace(partial, path)
    except OSError as error:
        message = f"this cannot be written ({error.strerror}); free some room or name another place"
        raise InputError([Fault(str(path), None, "--out", message)]) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(partial: Path, path: Path) -> None:
    """Put the new folder in place; an old run steps aside first and is removed last."""
    if not path.exists():
        partial.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
    path.rename(old / path.name)
    try:
        partial.rename(path)
    except OSError:
        (old / path.name).rename(path)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def write_whole(target: Path, write: Callable[[Path], object]) -> None:
    """Have a file written beside its place and renamed, so that it is whole or as it was."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        write(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, keys sorted, UTF-8, one line for each entry of the outer level."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a run folder; raises InputError when it is missing or malformed."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"this cannot be read ({error.strerror}); name a folder that 'gigaplan plan --out' wrote"
        raise InputError([Fault(str(path), None, "", message)]) from None
    except (ValueError, RecursionError):
        raise InputError([Fault(str(path), None, "", "this is not JSON; make the run again")]) from None
    if not isinstance(content, dict):
        raise InputError([Fault(str(path), None, "", "this is not a JSON object; make the run again")])
    return content


def require_run_folder(path: Path) -> None:
    """Raise InputError unless `path` holds a run."""
    if not is_run_folder(path):
        message = "this is not a run folder; name one that 'gigaplan plan --out' wrote"
        raise InputError([Fault(str(path), None, "", message)])

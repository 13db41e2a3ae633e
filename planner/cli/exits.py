"""Exit codes, and the one place where exceptions become messages."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.cli.screen import counted

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""Faults of the place that is written to, which name no file when they strike in the middle of one."""
DONE, OUR_FAULT, BAD_INPUT, INFEASIBLE, PART_FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130


class Ended(Exception):  # noqa: N818 - not an error: how a command ends with a code other than 0
    """A command that has said what it had to say ends with this exit code."""

    def __init__(self, code: int) -> None:
        """Keep the exit code."""
        self.code = code
        super().__init__(code)


def run_guarded(action: Callable[[], object], *, debug: bool) -> int:
    """Run an action and turn whatever it raises into a message and an exit code.

    Parameters: action; debug, whether a fault of ours shows its traceback.
    """
    try:
        result = action()
    except Ended as ended:
        return ended.code
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("gigaplan: interrupted before there was a plan; nothing was written", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # noqa: BLE001 - the last resort: everything else is sorted here
        return _explain(error, debug=debug)
    return result if isinstance(result, int) else DONE


def _explain(error: Exception, *, debug: bool) -> int:
    """Message and exit code of an exception that a command let through."""
    from sites.faults import InputError

    if isinstance(error, InputError):
        for fault in error.faults:
            click.echo(str(fault), err=True)
        n_faults = counted(len(error.faults), "fault")
        click.echo(f"gigaplan: {n_faults} in the input; nothing was written", err=True)
        return BAD_INPUT
    name = type(error).__name__
    if name == "InfeasibleError":
        click.echo(f"gigaplan: infeasible: {error}", err=True)
        limit, over = getattr(error, "limit", None), getattr(error, "over", None)
        if limit is not None:
            click.echo(f"limit: {limit}, exceeded by {over}", err=True)
        return INFEASIBLE
    if name in {"BackendError", "BoundError", "GuideError"}:
        click.echo(f"gigaplan: {error}", err=True)
        return BAD_INPUT
    if isinstance(error, MemoryError):
        click.echo(f"gigaplan: not enough memory: {error}; ask for fewer lanes, scenarios or processes", err=True)
        return BAD_INPUT
    if isinstance(error, OSError) and (error.filename is not None or error.errno in _NO_ROOM):
        where = "gigaplan" if error.filename is None else error.filename
        click.echo(
            f"{where}: this cannot be written or read ({error.strerror}); free it or name another place", err=True
        )
        return BAD_INPUT
    return _our_fault(error, debug=debug)


def _our_fault(error: Exception, *, debug: bool) -> int:
    text = "".join(traceback.format_exception(error))
    if debug:
        click.echo(text, err=True)
    click.echo(f"gigaplan: this is a fault of ours: {type(error).__name__}: {error}", err=True)
    try:
        descriptor, path = tempfile.mkstemp(prefix="gigaplan-", suffix=".txt")
        os.close(descriptor)
        Path(path).write_text(text, encoding="utf-8")
        click.echo(f"the traceback is in {path}; please report it with your input files", err=True)
    except OSError:
        click.echo("run again with --debug to see the traceback", err=True)
    return OUR_FAULT

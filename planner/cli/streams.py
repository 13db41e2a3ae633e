"""Who may write to stdout: commands, and not the libraries that they call."""

from __future__ import annotations

import os
import sys

_STDOUT, _STDERR = 1, 2


def keep_stdout_for_commands() -> None:
    """Send what libraries write to stdout by themselves to stderr; what commands print still goes to stdout.

    HiGHS tells of trouble in its own subproblems on stdout even when it is silenced; a line of it amid JSON would
    break whoever reads it. Does nothing where stdout is not the process's own, as in tests.
    """
    stream = sys.__stdout__
    if stream is None or sys.stdout is not stream or sys.stderr is not sys.__stderr__:
        return
    stream.flush()
    own = os.dup(_STDOUT)
    line_by_line = 1 if os.isatty(own) else -1
    os.dup2(_STDERR, _STDOUT)
    sys.stdout = os.fdopen(own, "w", line_by_line, encoding=stream.encoding, errors=stream.errors)

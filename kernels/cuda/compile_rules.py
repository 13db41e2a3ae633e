"""What a kernel's source must look like: few arguments and few lines, the last argument its fault word."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kernels.cuda.compile_list import CompileCase

MOST_LINES = 60
"""Lines of a body, its documentation and signature not counted."""
MOST_ARGUMENTS = 8
"""Arguments besides the fault word; a named tuple of arrays is one."""


def n_lines(body: Callable[..., None]) -> int:
    """Lines of a body from its first statement to its last, documentation not counted."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(body))).body
    assert isinstance(function, ast.FunctionDef)
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def shape_findings(cases: Iterable[CompileCase]) -> list[str]:
    """What is wrong with the source of listed bodies. Parameters: cases, as listed."""
    wrong = []
    for body in dict.fromkeys(case.body for case in cases):
        names = list(inspect.signature(body).parameters)
        where = f"{body.__module__}.{body.__name__}"
        if names[-1:] != ["fault"]:
            wrong.append(f"{where}: the last argument is '{names[-1]}' and not its fault word, `fault`")
        if len(names) > MOST_ARGUMENTS + 1:
            wrong.append(f"{where} takes {len(names) - 1} arguments besides `fault`; {MOST_ARGUMENTS} are allowed")
        if n_lines(body) > MOST_LINES:
            wrong.append(f"{where} has {n_lines(body)} lines; {MOST_LINES} are allowed")
    return wrong

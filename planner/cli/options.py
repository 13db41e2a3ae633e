"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

BACKENDS = ("auto", "cuda", "numba", "numpy")
"""What `--backend` takes; kernels are not imported to say so."""


def backend_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--backend` to a command."""
    return click.option(
        "--backend", type=click.Choice(BACKENDS), default="auto", show_default=True,
        help="Where kernels run; gigaplan doctor says which of them run here.",
    )(command)  # fmt: skip

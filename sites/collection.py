"""A pause of Python's garbage collector while something large is built up."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no cycles meanwhile.

    For work that builds many objects and no cycles, of which every collection looks through all that there are: a
    fifth of the time of lowering a large campus. What is let go of is freed as ever.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()

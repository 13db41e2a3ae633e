"""One piece of work for each site, in this process or in several that share its memory as it stands."""

from __future__ import annotations

import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Result = TypeVar("Result")


def by_site(work: Callable[[int], Result], n_sites: int, n_processes: int) -> Iterator[Result]:
    """What `work` returns for each site, in order.

    Sites are loaded objects that cannot be sent elsewhere, so processes are forked; where the system cannot fork, and
    for a site whose work failed in its process, the work is done here, so that errors are raised where they belong.
    Parameters: work, from the number of a site to something that can be sent between processes; n_processes.
    """
    if min(n_processes, n_sites) <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, range(n_sites))
        return
    _Process.work = work
    try:
        with ProcessPoolExecutor(min(n_processes, n_sites), multiprocessing.get_context("fork"), _begin) as pool:
            tasks = [pool.submit(_one, number) for number in range(n_sites)]
            for number, task in enumerate(tasks):
                done = cast("Result | None", task.result())
                yield work(number) if done is None else done
    finally:
        del _Process.work


class _Process:
    """What a forked process knows."""

    work: Callable[[int], object]


def _begin() -> None:
    """Collect only what is made here: to look through what the parent has would copy it."""
    gc.freeze()


def _one(number: int) -> object:
    try:
        return _Process.work(number)
    except Exception:  # noqa: BLE001  (whatever it is, the caller does the work again and meets it)
        return None

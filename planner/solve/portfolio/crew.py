"""Sites dealt out to processes, each of which keeps its sites from call to call."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from kernels.backends import kernel
from planner.solve.portfolio.site_work import SiteWork

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from planner.solve.portfolio.split import SitePart


class Crew:
    """Runs one method of every site's work; what comes back does not depend on the number of processes."""

    def __init__(self, parts: Sequence[SitePart], n_processes: int, backend: str, seed: int) -> None:
        """Deal the sites out by size and let every process prepare its own.

        Parameters: parts; n_processes, 1 for none but this one; backend and seed of the search.
        """
        self._n = len(parts)
        self._sites: dict[int, SiteWork] = {}
        self._pools: list[ProcessPoolExecutor] = []
        self._pool_of_site = _dealt([part.problem.n_rows for part in parts], n_processes)
        if n_processes <= 1:
            self._sites = {number: SiteWork(part, backend, seed) for number, part in enumerate(parts)}
            return
        context = multiprocessing.get_context("spawn")
        n_pools = max(self._pool_of_site) + 1
        self._pools = [ProcessPoolExecutor(1, context, _begin, (backend,)) for _ in range(n_pools)]
        tasks = [
            self._pools[pool].submit(_take, number, part, backend, seed)
            for number, (part, pool) in enumerate(zip(parts, self._pool_of_site, strict=True))
        ]
        for task in tasks:
            task.result()

    def __enter__(self) -> Self:
        """Work with the crew."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let the processes go."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def each(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Results of one method for each site, in order of the sites.

        Parameters: method, of `SiteWork`; arguments, one tuple for each site.
        """
        return self.some(method, dict(enumerate(arguments)))

    def some(self, method: str, arguments: dict[int, tuple[Any, ...]]) -> list[Any]:
        """Results of one method for some sites, in the order of `arguments`."""
        if not self._pools:
            return [getattr(self._sites[number], method)(*own) for number, own in arguments.items()]
        tasks: list[Future[Any]] = [
            self._pools[self._pool_of_site[number]].submit(_call, number, method, own)
            for number, own in arguments.items()
        ]
        try:
            return [task.result() for task in tasks]
        except BaseException:
            for task in tasks:
                task.cancel()
            raise


def _dealt(sizes: Sequence[int], n_processes: int) -> list[int]:
    """A process for each site, the largest first to the one with least to do."""
    loads = [0] * max(min(n_processes, len(sizes)), 1)
    result = [0] * len(sizes)
    for number in sorted(range(len(sizes)), key=lambda site: (-sizes[site], site)):
        result[number] = loads.index(min(loads))
        loads[result[number]] += sizes[number]
    return result


class _Process:
    """The sites of this process."""

    sites: dict[int, SiteWork]


def _begin(backend: str) -> None:
    """Ready the solver and kernels; an interrupt is the business of the process that waits for this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import_module("highspy")
    kernel("search", backend)
    _Process.sites = {}


def _take(number: int, part: SitePart, backend: str, seed: int) -> None:
    _Process.sites[number] = SiteWork(part, backend, seed)


def _call(number: int, method: str, arguments: tuple[Any, ...]) -> object:
    return getattr(_Process.sites[number], method)(*arguments)

"""One call in a thread of its own, beside what goes on meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Beside(Generic[T]):
    """Begins at once; an interpreter that ends does not wait for it."""

    def __init__(self, call: Callable[[], T]) -> None:
        """Begin the call."""
        self._call, self._results, self._error = call, list[T](), list[BaseException]()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as error:  # noqa: BLE001  (raised again where the result is asked for)
            self._error.append(error)

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return not self._thread.is_alive()

    def result(self) -> T:
        """What the call returned, waited for; raises what it raised."""
        self._thread.join()
        for error in self._error:
            raise error
        return self._results[0]

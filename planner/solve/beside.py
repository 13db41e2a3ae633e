"""One call in a thread of its own, beside what goes on meanwhile."""

from __future__ import annotations

import atexit
import ctypes
import threading
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Beside(Generic[T]):
    """Begins at once; an interpreter that ends gives it a few seconds to end too."""

    def __init__(self, call: Callable[[], T]) -> None:
        """Begin the call."""
        self._call, self._results, self._error = call, list[T](), list[BaseException]()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        _begun.add(self)

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

    def end(self) -> None:
        """Ask a running call to end where it next runs Python."""
        number = self._thread.ident
        if number is not None and self._thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(number), ctypes.py_object(SystemExit))

    def wait(self, until_s: float) -> None:
        """Wait for the call, but not beyond a time of the monotonic clock."""
        self._thread.join(max(until_s - time.monotonic(), 0.0))


_begun: WeakSet[Beside[Any]] = WeakSet()
_PATIENCE_S = 3.0


@atexit.register
def _end_all() -> None:
    """A thread that comes back from HiGHS while the interpreter goes down would abort the process."""
    begun, until_s = list(_begun), time.monotonic() + _PATIENCE_S
    for one in begun:
        one.end()
    for one in begun:
        one.wait(until_s)

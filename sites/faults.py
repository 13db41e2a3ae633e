"""Faults of input: collected with file, line and key, and raised together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input file, where, what is allowed and how to mend it."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        """`file:line: key: message`, the form that editors jump to."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class InputError(Exception):
    """Every fault found in the input, together."""

    def __init__(self, faults: list[Fault]) -> None:
        """Keep the faults in order of file and line."""
        self.faults = sorted(faults, key=lambda fault: (fault.file, fault.line or 0, fault.key))
        super().__init__("\n".join(str(fault) for fault in self.faults))

"""Errors of planning that are neither faults of input nor ours."""

from __future__ import annotations


class InfeasibleError(Exception):
    """No plan exists: a limit is broken before anything is placed, or no row can hold anything."""

    def __init__(self, message: str, limit: str | None = None, over: str | None = None) -> None:
        """Keep what a caller reports.

        Parameters: message, for a person; limit, the name of the limit that is broken, if one is; over, by how much,
        with its unit.
        """
        self.limit = limit
        self.over = over
        super().__init__(message)

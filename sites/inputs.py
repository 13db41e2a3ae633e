"""Input files as they were read: the bytes that a run keeps and hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class InputFile:
    """One input file of a run."""

    role: str
    """`portfolio`, `site`, `throughput` or `catalog`."""
    name: str
    """Its path inside a run's `inputs` folder, with forward slashes."""
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """Hash of the content, 64 hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

"""Which heat rejection a construction note names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TOWERS, DRY, CHILLERS = "cooling towers", "dry coolers", "air-cooled chillers"
_WORDS = (
    (TOWERS, ("cooling tower",)),
    (DRY, ("dry cooler", "dry cooling array")),
    (CHILLERS, ("chiller",)),
)
"""Words that name a kind, the more particular first: `chiller` alone is an air-cooled one on a roof or a pad."""


def noted_cooling(note: str) -> str:
    """The kind of heat rejection that one note names, or empty where it names none or several."""
    words = note.lower()
    named = [kind for kind, marks in _WORDS if any(mark in words for mark in marks)]
    return named[0] if len(named) == 1 else ""


def kind_of(noted: Sequence[str]) -> str:
    """What most notes of a campus name, the earlier of equals in the order above; empty where none names any."""
    counts = Counter(kind for kind in noted if kind)
    order = [kind for kind, _ in _WORDS]
    return max(counts, key=lambda kind: (counts[kind], -order.index(kind)), default="")

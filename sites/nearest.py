"""Did-you-mean: the known name nearest to an unknown one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_LISTED = 12


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `name`, or None when nothing does."""
    matches = difflib.get_close_matches(name[:200], sorted(set(known)), n=1, cutoff=0.7)
    return matches[0] if matches else None


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence about an unknown name: what was found, the nearest known name or the names allowed.

    Parameters: what, the kind of thing, e.g. "rack system"; name, as found; known, the names allowed.
    """
    names = sorted(set(known))
    found = f"unknown {what} '{shortened(name)}'"
    close = nearest(name, names)
    if close is not None:
        return f"{found}; did you mean '{close}'?"
    if not names:
        return f"{found}; none is defined"
    listed = ", ".join(f"'{known_name}'" for known_name in names[:_MAX_LISTED])
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return f"{found}; known are {listed}{more}"


def shortened(text: str, length: int = 80) -> str:
    """`text` on one line, cut to `length` characters so that a message stays readable."""
    line = " ".join(text.split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= length else f"{line[: length - 1]}…"

"""Switches of one part tried both ways: instalments that come with their target, or not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planner.side.filling import Score
    from planner.side.parts import Part

_MOST_ALONE, _MOST_WITH_WORK = 8, 3
"""Switches of a part that are tried in every combination: without a linear program, and with one."""


@dataclass(frozen=True)
class Choice:
    """Values of a part's columns under one setting of its switches."""

    on: frozenset[int]
    """Columns of the part."""
    values: tuple[int, ...]
    score: Score


def choices(part: Part, decide: Callable[[frozenset[int]], Choice | None]) -> tuple[Choice, ...]:
    """What is found under the settings tried, all off first; only that where no other keeps the rows.

    Every combination of a few switches is tried; of more, each is turned on in its order, once where that is worth
    more and once wherever it keeps the rows.
    Parameters: decide, the values under a setting; None where its rows cannot hold.
    """
    usable = [column for column in part.switches if part.most[column] > 0]
    if len(usable) <= (_MOST_WITH_WORK if part.chosen else _MOST_ALONE):
        settings = (frozenset(on) for n in range(len(usable) + 1) for on in combinations(usable, n))
        found = [choice for choice in map(decide, settings) if choice is not None]
    else:
        found = [*_one_by_one(usable, decide, only_better=True), *_one_by_one(usable, decide, only_better=False)]
    holding = [choice for choice in found if choice.score[0] == 0]
    return tuple(holding or found[:1])


def _one_by_one(
    usable: list[int], decide: Callable[[frozenset[int]], Choice | None], *, only_better: bool
) -> Iterator[Choice]:
    now = decide(frozenset())
    if now is None:
        return
    yield now
    for column in usable:
        tried = decide(now.on | {column})
        if tried is None or tried.score[0] < now.score[0]:
            continue
        yield tried
        if not only_better or tried.score > now.score:
            now = tried

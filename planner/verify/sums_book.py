"""Sums of watts that are worked out once: like failures of a large campus ask for the same ones over and over.

Watts are tuples over periods. Equal ones are kept once, so that a question is known by the identity of what it names;
every answer holds what its question names, so that nothing else can take that identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from fractions import Fraction

Value = TypeVar("Value", int, float)
Watts = tuple[Value, ...]
Parts = tuple[tuple[int, Watts[Value]], ...]
"""What a node asks of each of its sources."""
Shares = tuple[tuple[int, "Fraction"], ...]
Change = tuple["Watts[Value] | None", "Watts[Value] | None", tuple[int, ...]]
"""What a node asked, what it asks now, None for nothing at all, and the sources of which it does so."""

_MOST = 100_000
"""Tuples after which a book begins anew, as a site without two like rows would fill the memory."""


@dataclass
class SumsBook(Generic[Value]):
    """What is known of one kind of flow of one site in one epoch."""

    _kept: dict[Watts[Value], Watts[Value]] = field(default_factory=dict)
    _sums: dict[tuple[int, int], tuple[Watts[Value], Watts[Value], Watts[Value]]] = field(default_factory=dict)
    _parts: dict[tuple[int, int, int], tuple[Watts[Value], Shares, Parts[Value]]] = field(default_factory=dict)
    _changes: dict[tuple[int, int], tuple[Parts[Value], Parts[Value], tuple[Change[Value], ...]]] = field(
        default_factory=dict
    )
    _moved: dict[
        tuple[int, int, int], tuple[Watts[Value] | None, Watts[Value] | None, Watts[Value] | None, Watts[Value]]
    ] = field(default_factory=dict)

    def kept(self, watts: Watts[Value]) -> Watts[Value]:
        """The one tuple that stands for all equal ones."""
        if len(self._kept) >= _MOST:
            for known in (self._kept, self._sums, self._parts, self._changes, self._moved):
                known.clear()
        return self._kept.setdefault(watts, watts)

    def sum(self, left: Watts[Value], right: Watts[Value]) -> Watts[Value]:
        """Both together."""
        key = (id(left), id(right))
        known = self._sums.get(key)
        if known is None:
            total = self.kept(tuple([a + b for a, b in zip(left, right, strict=True)]))
            known = self._sums[key] = (left, right, total)
        return known[2]

    def parts(self, like: int, output: Watts[Value], shares: Shares) -> Parts[Value] | None:
        """What an element asks of its sources at an output, if that is known.

        Parameters: like, the number of its kind: elements of one kind have the same losses.
        """
        known = self._parts.get((like, id(output), id(shares)))
        return None if known is None else known[2]

    def keep_parts(self, like: int, output: Watts[Value], shares: Shares, parts: Parts[Value]) -> Parts[Value]:
        """Note what an element asks of its sources at an output."""
        parts = tuple([(source, self.kept(watts)) for source, watts in parts])
        self._parts[like, id(output), id(shares)] = (output, shares, parts)
        return parts

    def changes(self, before: Parts[Value], after: Parts[Value]) -> tuple[Change[Value], ...]:
        """What a node asks of each source before and after."""
        key = (id(before), id(after))
        known = self._changes.get(key)
        if known is None:
            known = self._changes[key] = (before, after, _changes(dict(before), dict(after)))
        return known[2]

    def moved(self, known: Watts[Value] | None, old: Watts[Value] | None, new: Watts[Value] | None) -> Watts[Value]:
        """What moved at a source so far, less what a node asked of it, plus what it asks now; None for nothing."""
        key = (id(known), id(old), id(new))
        entry = self._moved.get(key)
        if entry is None:
            entry = self._moved[key] = (known, old, new, self.kept(_moved(known, old, new)))
        return entry[3]


def _changes(old: dict[int, Watts[Value]], new: dict[int, Watts[Value]]) -> tuple[Change[Value], ...]:
    """Sources of which the same was asked, and of which the same is asked now, together."""
    alike: dict[tuple[Watts[Value] | None, Watts[Value] | None], list[int]] = {}
    for source in {**old, **new}:
        alike.setdefault((old.get(source), new.get(source)), []).append(source)
    return tuple([(before, after, tuple(sources)) for (before, after), sources in alike.items()])


def _moved(known: Watts[Value] | None, old: Watts[Value] | None, new: Watts[Value] | None) -> Watts[Value]:
    """In this order, term by term: floats are then those of a sum over all nodes."""
    terms = [
        term for term in (known, None if old is None else tuple([-watts for watts in old]), new) if term is not None
    ]
    total, *others = terms
    for term in others:
        total = tuple([a + b for a, b in zip(total, term, strict=True)])
    return total

"""What each scenario changes, as the batch has noted it; of samples, how far each draw goes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planner.batch.report.content import Content

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_LONGEST = 90


@dataclass(frozen=True)
class ChangeLine:
    """One override, or one draw over all samples."""

    path: str
    effect: str
    is_empty: bool
    """Whether it had nothing to change."""


@dataclass(frozen=True)
class ScenarioEntry:
    """One scenario of one portfolio."""

    name: str
    portfolio: str
    """Empty where the batch has one portfolio."""
    n_samples: int
    lines: tuple[ChangeLine, ...]


def scenario_entries(content: Content) -> tuple[ScenarioEntry, ...]:
    """What every scenario changes, in the batch's order; samples of a scenario are put together."""
    origin_of = {unit.scenario: unit.origin for unit in content.units}
    entries = []
    for portfolio, scenarios in content.changes.items():
        grouped: dict[str, list[str]] = {}
        for name in content.scenarios:
            if name in scenarios:
                grouped.setdefault(origin_of[name], []).append(name)
        told = portfolio if len(content.changes) > 1 else ""
        for origin, names in grouped.items():
            if names == [origin]:
                entries.append(ScenarioEntry(origin, told, 0, tuple(_line(one) for one in scenarios[origin])))
            else:
                lines = tuple(_drawn([scenarios[name] for name in names]))
                entries.append(ScenarioEntry(origin, told, len(names), lines))
    return tuple(entries)


def _line(applied: dict[str, Any]) -> ChangeLine:
    changes = applied["changes"]
    if not changes:
        return ChangeLine(applied["path"], applied["said"], is_empty=True)
    file, place, before, after = changes[0]
    more = f", and {count(len(changes) - 1)} more like it" if len(changes) > 1 else ""
    return ChangeLine(applied["path"], f"{file} {place}: {value_text(before)} → {value_text(after)}{more}", False)


def _drawn(samples: Sequence[list[dict[str, Any]]]) -> Iterator[ChangeLine]:
    """Every override of samples with the least and the largest value that it leads to at its first place."""
    effects: dict[str, list[list[Any]]] = {}
    empty: dict[str, str] = {}
    for sample in samples:
        for one in sample:
            if one["changes"]:
                effects.setdefault(one["path"], []).append(one["changes"][0])
            else:
                empty.setdefault(one["path"], one["said"])
    for path, changes in effects.items():
        file, place, before, _ = changes[0]
        texts = sorted({value_text(change[3]) for change in changes}, key=_order)
        ends = texts[0] if len(texts) == 1 else f"{texts[0]} to {texts[-1]}"
        told = f"{file} {place}: {value_text(before)} → {ends}, in {count(len(changes))} of {count(len(samples))}"
        yield ChangeLine(path, told, is_empty=False)
    for path, said in empty.items():
        if path not in effects:
            yield ChangeLine(path, said, is_empty=True)


def value_text(value: Any) -> str:
    """A value of an input file in short: the figure of one with its range and source, nothing as a dash."""
    if isinstance(value, dict):
        value = value.get("value", ", ".join(f"{key}: {value_text(one)}" for key, one in value.items()))
    elif isinstance(value, list):
        value = f"{count(len(value))} entries"
    text = "–" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _order(text: str) -> tuple[float, str]:
    number = _NUMBER.match(text)
    return (float(number.group()) if number else float("inf"), text)

"""Paths into documents: keys, wildcards and selectors, and the places to which they lead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from sites.nearest import shortened, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Place: TypeAlias = tuple[str | int, ...]
"""Keys and positions in lists from the top of a document."""
_STEP = re.compile(r"(?P<key>\*|[A-Za-z0-9_-]+)(?P<selectors>(?:\[[^\[\]]+\])*)")
_SELECTOR = re.compile(r"\[([^\[\]]+)\]")
_NAMING_KEYS = ("name", "system", "site")
"""Keys by which an item of a list is known."""


class PathError(ValueError):
    """A path that cannot be read."""


@dataclass(frozen=True)
class Step:
    """One step of a path: a key of a mapping (`*`: every key), or items of a list."""

    text: str
    is_key: bool


@dataclass
class Found:
    """Where a path leads in one document."""

    places: list[Place] = field(default_factory=list)
    absent: list[Place] = field(default_factory=list)
    """Places in mappings that lack only the last key of the path."""
    reasons: list[str] = field(default_factory=list)
    """Why a branch of the path ends early."""


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path such as `supply[vr-nvl72].deliveries[*].quarter`; raises PathError."""
    steps: list[Step] = []
    for part in _parts(text):
        match = _STEP.fullmatch(part)
        if match is None:
            found = f"'{shortened(part)}'" if part else "an empty step"
            msg = f"found {found} in path '{shortened(text)}'; keys are joined by dots, items chosen in brackets, e.g. "
            raise PathError(msg + "'portfolio.supply[vr-nvl72].deliveries[*].quarter'")
        steps.append(Step(match["key"], is_key=True))
        steps += [Step(one.strip(), is_key=False) for one in _SELECTOR.findall(match["selectors"])]
    return tuple(steps)


def find_places(document: Any, steps: Sequence[Step]) -> Found:
    """Every place of a document to which a path leads, in order of the document.

    Parameters: document, of dicts, lists and scalars; steps, as parsed.
    """
    found = Found()
    _walk(document, tuple(steps), (), found)
    return found


def value_at(document: Any, place: Place) -> Any:
    """What stands at a place."""
    for step in place:
        document = document[step]
    return document


def place_text(place: Place) -> str:
    """A place as one writes it: `supply[2].deliveries[0].quarter`."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _parts(text: str) -> Iterator[str]:
    """The text between dots that stand outside brackets."""
    depth, begin = 0, 0
    for index, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if character == "." and depth == 0:
            yield text[begin:index]
            begin = index + 1
    yield text[begin:]


def _walk(node: Any, steps: tuple[Step, ...], place: Place, found: Found) -> None:
    if not steps:
        found.places.append(place)
        return
    step, rest = steps[0], steps[1:]
    if step.is_key and isinstance(node, dict):
        keys = list(node) if step.text == "*" else [step.text]
        for key in keys:
            if key in node:
                _walk(node[key], rest, (*place, key), found)
            else:
                found.reasons.append(f"{_where(place)}: {unknown('key', key, map(str, node))}")
                if not rest:
                    found.absent.append((*place, key))
    elif not step.is_key and isinstance(node, list):
        chosen = _chosen(node, step.text)
        if not chosen:
            found.reasons.append(f"{_where(place)}: {_no_item(node, step.text)}")
        for index in chosen:
            _walk(node[index], rest, (*place, index), found)
    else:
        kind = "a mapping" if isinstance(node, dict) else "a list" if isinstance(node, list) else "a plain value"
        due = f"key '{step.text}'" if step.is_key else f"items [{step.text}]"
        found.reasons.append(f"{_where(place)}: found {kind}, which has no {due}")


def _chosen(items: list[Any], selector: str) -> list[int]:
    """Positions of the items that a selector means."""
    if selector == "*":
        return list(range(len(items)))
    if selector.isdecimal():
        return [int(selector)] if int(selector) < len(items) else []
    key, equals, value = selector.partition("=")
    keys = (key.strip(),) if equals else _NAMING_KEYS
    wanted = value.strip() if equals else selector
    return [
        index
        for index, item in enumerate(items)
        if isinstance(item, dict) and any(str(item[key]) == wanted for key in keys if key in item)
    ]


def _no_item(items: list[Any], selector: str) -> str:
    if not items:
        return "the list is empty"
    if selector.isdecimal():
        return f"there is no item [{selector}]; the list has {len(items)}"
    key, equals, value = selector.partition("=")
    keys = (key.strip(),) if equals else _NAMING_KEYS
    known = {str(item[key]) for item in items if isinstance(item, dict) for key in keys if key in item}
    return unknown("item", value.strip() if equals else selector, known)


def _where(place: Place) -> str:
    return place_text(place) or "the top"

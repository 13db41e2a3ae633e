"""Values of a YAML file exchanged in place; every other byte stays, comments and aliases included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions in lists from the top of the document."""
_MARKS = re.compile(r"(?:[&!]\S*\s+)*")
"""Anchor or tag before a value; they stay, so that aliases of the value go on working."""


class SharedScalarError(ValueError):
    """One scalar stands, by an alias, for values that are to differ; `path` is that of the second of them."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self.path = path
        super().__init__(".".join(str(step) for step in path))


def with_scalars(content: bytes, scalars: Mapping[Path, str]) -> bytes:
    """A YAML document with other texts for some of its scalars.

    Parameters: content, UTF-8, already known to load; scalars, the new text by path, plain and in need of no quotes.
    A value that an alias repeats changes wherever it stands. Raises KeyError for a path that does not exist or leads
    to no scalar, and SharedScalarError.
    """
    import yaml

    text = content.decode("utf-8-sig")
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    edits: dict[int, tuple[int, str]] = {}
    for path, scalar in scalars.items():
        node = _scalar_at(top, path, yaml.ScalarNode)
        marks = _MARKS.match(text, node.start_mark.index, node.end_mark.index)
        start = marks.end() if marks else node.start_mark.index
        edit = node.end_mark.index, scalar
        if edits.setdefault(start, edit) != edit:
            raise SharedScalarError(path)
    for start, (end, scalar) in sorted(edits.items(), reverse=True):
        text = text[:start] + scalar + text[end:]
    return text.encode("utf-8")


def with_top_key(content: bytes, key: str, value: str) -> bytes:
    """A YAML document whose mapping has another value under one of its keys, or one key more at its end.

    Parameters: content, UTF-8, already known to load as a mapping; key, plain; value, on one line, such as JSON.
    """
    import yaml

    text = content.decode("utf-8-sig")
    top: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    found = next((node for name, node in top.value if name.value == key), None)
    if found is not None:
        start, end = found.start_mark.index, found.end_mark.index
        held = text[start:end]
        rest = held[len(held.rstrip()) :]  # a block ends where the next key begins
        space = " " if text[start - 1] == "\n" else ""
        return (text[:start] + space + value + rest + text[end:]).encode("utf-8")
    end = top.end_mark.index
    if top.flow_style:
        last = end - 1
        comma = ", " if top.value else ""
        return (text[:last].rstrip().rstrip(",") + f"{comma}{key}: {value}" + text[last:]).encode("utf-8")
    return (text[:end].rstrip("\n") + f"\n{key}: {value}\n" + text[end:]).encode("utf-8")


def _scalar_at(node: Any, path: Path, scalar: type) -> Any:
    for step in path:
        items = node.value if isinstance(node.value, list) else []
        below = {key.value: value for key, value in items} if isinstance(step, str) else dict(enumerate(items))
        node = below[step]
    if not isinstance(node, scalar):
        raise KeyError(path)
    return node

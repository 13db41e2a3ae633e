"""YAML read into nodes that know their line, within guards against hostile or mistaken files.

Only the part of YAML that data files need is accepted: mappings, lists and scalars, anchors and aliases; one
document; no tags, no merge keys. A plain scalar means what it looks like and nothing more (see `scalar_value`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from sites.faults import Fault, InputError
from sites.nearest import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 5_000_000
MAX_DEPTH = 40
MAX_NODES = 300_000
"""Nodes after aliases are expanded."""
MAX_SCALAR_CHARACTERS = 10_000
MAX_FAULTS = 500

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class WrittenFloat(float):
    """A decimal that remembers its text, so that `0.1` stays exactly one tenth and messages show what was written."""

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        """Read the text of a decimal number."""
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __str__(self) -> str:
        """The number as it was written."""
        return self.text

    __repr__ = __str__


@dataclass(frozen=True)
class ScalarNode:
    """A scalar as written; `plain` when it stood without quotes."""

    line: int
    text: str
    plain: bool


@dataclass(frozen=True)
class SequenceNode:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True)
class MappingNode:
    """A mapping; keys are text, each with the line on which it stands."""

    line: int
    items: dict[str, Node]
    key_lines: dict[str, int]


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


@dataclass
class _Reader:
    """One pass over the events of a file: builds nodes, counts them, and collects faults."""

    file: str
    events: Iterator[Any]
    faults: list[Fault] = field(default_factory=list)
    anchors: dict[str, tuple[Node, int, int]] = field(default_factory=dict)
    """Node, its number of nodes and its height in levels."""
    n_nodes: int = 0
    deepest: int = 0

    def fault(self, message: str, line: int | None, key: str = "") -> None:
        """Note a fault and go on."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(self.file, line, key, message))

    def stop(self, message: str, line: int | None) -> InputError:
        """The error for a fault after which the rest of the file cannot be read."""
        return InputError([*self.faults, Fault(self.file, line, "", message)])

    def grow(self, n_nodes: int, depth: int, line: int) -> None:
        """Count nodes and levels, and stop when nesting or aliases have multiplied them beyond reason."""
        self.n_nodes += n_nodes
        self.deepest = max(self.deepest, depth)
        if depth > MAX_DEPTH:
            message = f"found values nested deeper than {MAX_DEPTH} levels; flatten them"
            raise self.stop(message, line)
        if self.n_nodes > MAX_NODES:
            message = f"found more than {MAX_NODES:,} values (aliases counted as often as used); split the file"
            raise self.stop(message, line)

    def node(self, event: Any, depth: int) -> Node:
        """The node that begins with this event."""
        import yaml

        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            return self.aliased(event, depth, line)
        if event.tag is not None and event.tag != "!":
            message = f"found the tag '{shortened(event.tag)}'; tags are not allowed, remove it"
            self.fault(message, line)
        n_before, deepest_before = self.n_nodes, self.deepest
        self.deepest = depth
        self.grow(1, depth, line)
        node = self.content(event, line, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.n_nodes - n_before, self.deepest - depth)
        self.deepest = max(self.deepest, deepest_before)
        return node

    def content(self, event: Any, line: int, depth: int) -> Node:
        """The scalar, list or mapping that begins with this event."""
        import yaml

        if isinstance(event, yaml.SequenceStartEvent):
            return SequenceNode(line, tuple(self.sequence_items(depth)))
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(line, depth)
        if len(event.value) > MAX_SCALAR_CHARACTERS:
            message = f"found a value of {len(event.value):,} characters; {MAX_SCALAR_CHARACTERS:,} are allowed"
            raise self.stop(message, line)
        return ScalarNode(line, event.value, plain=event.style is None or event.style == "")

    def aliased(self, event: Any, depth: int, line: int) -> Node:
        """The node that an alias repeats; an alias within its own anchor never gets here with a node."""
        if event.anchor not in self.anchors:
            message = f"alias '*{shortened(event.anchor)}' has no complete anchor before it; write the value out"
            raise self.stop(message, line)
        node, n_nodes, height = self.anchors[event.anchor]
        self.grow(n_nodes, depth + height, line)
        return node

    def sequence_items(self, depth: int) -> Iterator[Node]:
        """The items up to the end of the list."""
        import yaml

        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.node(event, depth + 1)

    def mapping(self, line: int, depth: int) -> MappingNode:
        """The keys and values up to the end of the mapping; a key that is not text or comes twice is a fault."""
        import yaml

        items: dict[str, Node] = {}
        key_lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key_line = event.start_mark.line + 1
            key = self.node(event, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if not isinstance(key, ScalarNode):
                self.fault("found a list or mapping as key; a key must be text", key_line)
            elif key.plain and (key.text in _NULLS or key.text == "<<"):
                self.fault(_odd_key(key.text), key_line)
            elif key.text in items:
                message = f"this key stands here a second time, first on line {key_lines[key.text]}; remove one"
                self.fault(message, key_line, shortened(key.text))
            else:
                items[key.text], key_lines[key.text] = value, key_line
        return MappingNode(line, items, key_lines)


def _odd_key(text: str) -> str:
    if text == "<<":
        return "found the merge key '<<'; merging is not supported, write the keys out"
    return "found an empty key; a key must be text"


def read_nodes(content: bytes, file: str) -> tuple[MappingNode, list[Fault]]:
    """Read one YAML document whose top is a mapping.

    Parameters: content, the file's bytes; file, its name in messages. Returns the node and the faults after which
    reading could go on. Raises InputError when it could not.
    """
    import yaml

    text = _decoded(content, file)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = _Reader(file, iter(yaml.parse(text, Loader=loader)))
    try:
        node = _single_document(reader)
    except yaml.YAMLError as error:
        raise reader.stop(*_syntax_message(error, text)) from None
    return node, reader.faults


def _decoded(content: bytes, file: str) -> str:
    """The text of the bytes, which must be UTF-8, of reasonable size and not blank."""
    if len(content) > MAX_BYTES:
        raise InputError([Fault(file, None, "", f"the file is larger than {MAX_BYTES:,} bytes; split it")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"found byte 0x{content[error.start]:02x}, which is not UTF-8; save the file as UTF-8"
        raise InputError([Fault(file, line, "", message)]) from None
    if not text.strip():
        raise InputError([Fault(file, None, "", "the file is empty; it must hold a mapping that begins with 'format'")])
    return text


def _single_document(reader: _Reader) -> MappingNode:
    """The only document of the stream; its top must be a mapping."""
    import yaml

    next(reader.events)  # start of the stream
    start = next(reader.events)
    if isinstance(start, yaml.StreamEndEvent):
        message = "the file holds comments only; it must hold a mapping that begins with 'format'"
        raise reader.stop(message, None)
    node = reader.node(next(reader.events), depth=1)
    next(reader.events)  # end of the document
    after = next(reader.events)
    if not isinstance(after, yaml.StreamEndEvent):
        message = "found a second document ('---'); one file holds one document, split the file"
        raise reader.stop(message, after.start_mark.line + 1)
    if not isinstance(node, MappingNode):
        found = "a list" if isinstance(node, SequenceNode) else f"the text '{shortened(node.text)}'"
        message = f"found {found}; the file must hold a mapping of keys that begins with 'format'"
        raise reader.stop(message, node.line)
    return node


def _syntax_message(error: Any, text: str) -> tuple[str, int | None]:
    """What is wrong with the YAML itself, in plain words, and its line."""
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else None
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines):
        written = lines[mark.line]
        if "\t" in written[: len(written) - len(written.lstrip())] or written[mark.column : mark.column + 1] == "\t":
            return "found a tab where YAML wants spaces; indent with spaces", line
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable text"
    context = getattr(error, "context", None)
    where = f" ({shortened(str(context))})" if context else ""
    return f"this is not valid YAML: {shortened(str(problem))}{where}; check indentation, quotes and colons", line


def scalar_value(node: ScalarNode) -> object:
    """What a scalar means: text, unless it is plain and looks like a null, a truth value or a decimal number.

    Words such as `on`, `no`, `1:30`, `0x10` and `2027-01-01` stay text, as in YAML 1.2's core schema but without
    octal, hexadecimal, infinity and not-a-number.
    """
    if not node.plain:
        return node.text
    if node.text in _NULLS:
        return None
    if node.text in _BOOLEANS:
        return _BOOLEANS[node.text]
    if _INTEGER.fullmatch(node.text) and node.text.isascii():
        return int(node.text)
    if _DECIMAL.fullmatch(node.text) and node.text.isascii():
        return WrittenFloat(node.text)
    return node.text


def plain_value(node: Node) -> object:
    """The node as dicts, lists and scalars."""
    if isinstance(node, ScalarNode):
        return scalar_value(node)
    if isinstance(node, SequenceNode):
        return [plain_value(item) for item in node.items]
    return {key: plain_value(value) for key, value in node.items.items()}

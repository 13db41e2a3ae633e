"""Load a YAML file as a schema object, or raise every fault in it together, each with its line and key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from sites.explain import Step, message_of
from sites.faults import Fault, InputError
from sites.nearest import nearest, shortened
from sites.yaml_nodes import (
    MAX_BYTES,
    MAX_FAULTS,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    plain_value,
    read_nodes,
    scalar_value,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Document(Generic[M]):
    """A loaded file: its value, and its nodes to point at when a later check finds a fault."""

    file: str
    node: MappingNode
    value: M

    def fault(self, message: str, *path: Step) -> Fault:
        """A fault at a path of keys and list positions, with the line that the path stands on."""
        line, key = locate(self.node, path)
        return Fault(self.file, line, key, message)


def load_model(source: Path | bytes, model: type[M], display_name: str | None = None) -> M:
    """Load one YAML file as `model`.

    Parameters: source, a path or the file's bytes; model, the schema class; display_name, the file's name in
    messages (the path by default). Raises InputError with every fault found.
    """
    content = read_bytes(source) if isinstance(source, Path) else source
    file = display_name or (str(source) if isinstance(source, Path) else "<input>")
    return load_document(content, model, file).value


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file of at most `MAX_BYTES`; raises InputError otherwise."""
    shown = shortened(str(path), 300)
    try:
        if not path.is_file():
            raise InputError([Fault(shown, None, "", _not_a_file(path))])
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError([Fault(shown, None, "", f"the file cannot be read: {reason}")]) from None
    return content


def _not_a_file(path: Path) -> str:
    if path.is_dir():
        return "this is a folder; name the YAML file in it"
    if path.exists():
        return "this is not a regular file"
    siblings = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    close = nearest(path.name, siblings)
    return f"no such file; did you mean '{path.parent / close}'?" if close is not None else "no such file"


def load_document(content: bytes, model: type[M], file: str) -> Document[M]:
    """Load bytes as `model` and keep the nodes; raises InputError with every fault found."""
    node, faults = read_nodes(content, file)
    try:
        value = model.model_validate(plain_value(node))
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if not _follows(detail)]
        for detail in details[:MAX_FAULTS]:
            line, key = locate(node, _place(detail["loc"], detail["type"]))
            faults.append(Fault(file, line, key, message_of(detail, model)))
        if len(details) > MAX_FAULTS:
            faults.append(Fault(file, None, "", f"{len(details) - MAX_FAULTS} more faults are not listed"))
        raise InputError(faults) from None
    if faults:
        raise InputError(faults)
    return Document(file, node, value)


def _follows(detail: ErrorDetails) -> bool:
    """Whether a list is only short because pydantic left its faulty items out; those are reported themselves."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def document_format(content: bytes, file: str) -> str | None:
    """The text of the top key `format`, or None; raises InputError when the file is not readable YAML."""
    node, faults = read_nodes(content, file)
    written = node.items.get("format")
    if faults or not isinstance(written, ScalarNode):
        return None
    value = scalar_value(written)
    return value if isinstance(value, str) else None


def listed_texts(content: bytes, file: str, list_key: str, key: str) -> list[str]:
    """Texts of one key in each mapping of a top-level list, as far as the file can be read at all."""
    try:
        node, _ = read_nodes(content, file)
    except InputError:
        return []
    listed = node.items.get(list_key)
    entries = listed.items if isinstance(listed, SequenceNode) else []
    written = [entry.items.get(key) for entry in entries if isinstance(entry, MappingNode)]
    values = [scalar_value(one) for one in written if isinstance(one, ScalarNode)]
    return [value for value in values if isinstance(value, str)]


def _place(path: tuple[Step, ...], kind: str) -> tuple[Step, ...]:
    """Where to point: a missing key is reported at the mapping that lacks it."""
    return path[:-1] if kind == "missing" else path


def locate(node: Node, path: tuple[Step, ...]) -> tuple[int, str]:
    """Line and readable key of a path from a node.

    Steps that do not exist in the file (a union's tag, pydantic's marks) are skipped.
    """
    line, key = node.line, ""
    for step in path:
        if isinstance(node, MappingNode) and step in node.items:
            line, node = node.key_lines[str(step)], node.items[str(step)]
            key = f"{key}.{shortened(str(step))}" if key else shortened(str(step))
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            line, key = node.line, f"{key}[{step}]"
    return line, key

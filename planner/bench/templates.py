"""Files of the library from which campuses are generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.loading import read_bytes
from sites.yaml_nodes import plain_value, read_nodes

if TYPE_CHECKING:
    from pathlib import Path


def library_file(path: Path | None, name: str) -> dict[str, Any]:
    """A file of the library as plain values, its anchors written out. Raises FileNotFoundError where it is missing."""
    if path is None:
        msg = f"the library has no '{name}', from which files are generated"
        raise FileNotFoundError(msg)
    node, _ = read_nodes(read_bytes(path), str(path))
    content = plain_value(node)
    if not isinstance(content, dict):
        msg = f"{path} is not a mapping"
        raise TypeError(msg)
    return content

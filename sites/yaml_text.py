"""Plain data written as YAML text, as the library's generated files are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from sites.yaml_nodes import WrittenFloat

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Writer(yaml.SafeDumper):
    """Safe YAML whose repeated parts are anchors with short names, indented as the library's other files are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def generate_anchor(self, node: yaml.Node) -> str:  # noqa: ARG002
        self.last_anchor_id += 1
        return f"p{self.last_anchor_id}"


def _as_written(dumper: yaml.SafeDumper, value: WrittenFloat) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", value.text)


_Writer.add_representer(WrittenFloat, _as_written)


def yaml_text(comment: Sequence[str], document: dict[str, Any]) -> str:
    """A file's text: comment lines, then the document with its keys in the order given."""
    body = yaml.dump(document, Dumper=_Writer, sort_keys=False, width=116, allow_unicode=True, default_flow_style=None)
    return "".join(f"# {line}\n" for line in comment) + body

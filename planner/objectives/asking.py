"""A world that asks for another objective, as files that a run keeps and anyone can verify."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sites.faults import Fault, InputError
from sites.schema.portfolio import PortfolioFile
from sites.world import world_of_files
from sites.yaml_edit import with_top_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.world import World


def asking(world: World, keys: Mapping[str, Any]) -> World:
    """The world with some top-level keys of its portfolio exchanged or added, checked as if it had been loaded.

    Parameters: keys, plain values as a portfolio file has them. Raises InputError with every fault of the changed
    portfolio, and where a key cannot be exchanged in its file.
    """
    files = tuple(_asking(file, keys) if file.role == "portfolio" else file for file in world.files)
    changed = world_of_files(files)
    rest = {name for name in PortfolioFile.model_fields if name not in keys}
    if any(getattr(changed.portfolio, name) != getattr(world.portfolio, name) for name in rest):
        message = "a value here is an alias of something else in the file; write it out in place of the alias"
        raise InputError([Fault("portfolio.yaml", None, ", ".join(keys), message)])
    return changed


def _asking(file: Any, keys: Mapping[str, Any]) -> Any:
    content = file.content
    for key, value in keys.items():
        content = with_top_key(content, key, json.dumps(value, ensure_ascii=False))
    return replace(file, content=content)

"""Common-mode groups: which elements of the power graph one event takes out together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sites.faults import Fault, InputError
from sites.nearest import unknown
from sites.schema.catalog import ElementKind

if TYPE_CHECKING:
    from sites.expansion.graphs import Graph
    from sites.schema.site import SiteFile

_ELEMENT_KINDS = frozenset(str(kind) for kind in ElementKind)
_NUMBER = re.compile(r"-\d+$")


def common_mode_groups(site: SiteFile, power: Graph) -> dict[str, tuple[str, ...]]:
    """Element ids of every common-mode group, by the group's name.

    Parameters: site; power, its power graph. Raises InputError with every member that is no element of the site, and
    every group that is called like an element, because limits tell failures apart by name.
    """
    elements = [node for node, kind in power.nodes(data="kind") if str(kind) in _ELEMENT_KINDS]
    numbered: dict[str, list[str]] = {element: [element] for element in elements}
    for element in elements:
        stem = _NUMBER.sub("", element)
        if stem != element:
            numbered.setdefault(stem, []).append(element)
    faults = []
    groups: dict[str, tuple[str, ...]] = {}
    for index, group in enumerate(site.common_mode):
        if group.name in power:
            message = f"'{group.name}' is the id of an element; give the group another name"
            faults.append(Fault("site", None, f"common_mode.{index}.name", message))
        for position, member in enumerate(group.members):
            if member not in numbered:
                message = unknown("power element or numbered elements", member, numbered)
                faults.append(Fault("site", None, f"common_mode.{index}.members.{position}", message))
        members = (element for member in group.members for element in numbered.get(member, ()))
        groups[group.name] = tuple(dict.fromkeys(members))
    if faults:
        raise InputError(faults)
    return groups

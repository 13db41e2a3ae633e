"""Sites lowered once and used for many scenarios give the very problem that lowering from the files gives."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from planner.lower import lower
from planner.lower.reuse import KnownSites
from sites.scenarios.apply import Documents
from sites.scenarios.futures import load_futures
from sites.world import load_world, world_of_files


def differing(first: Any, second: Any) -> list[str]:
    """Fields in which two problems (or parts of them) differ, to the last integer."""
    names = [item.name for item in fields(first)]
    return [name for name in names if not is_same(getattr(first, name), getattr(second, name))]


def is_same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and np.array_equal(a, b) and a.dtype == b.dtype
    if isinstance(a, (tuple, list)):
        return isinstance(b, type(a)) and len(a) == len(b) and all(map(is_same, a, b))
    return not differing(a, b) if is_dataclass(a) else a == b


@pytest.mark.parametrize(
    "name", ["toy-supply", "toy-refresh", "toy-swing", "toy-tranche-cash", "toy-shared-envelope", "toy-work"]
)
def test_a_known_site_gives_the_same_problem_under_every_scenario(name: str) -> None:
    known, changed = KnownSites(), 0
    documents = Documents(load_world(name).files)
    for future in load_futures(["deal"]).values():
        world = world_of_files(documents.under(future).files)
        mine, whole = lower(world, known=known).problem, lower(world).problem
        assert not differing(mine, whole), future.name
        changed += 1
    assert known.n_made < changed * len(world.sites)

"""Sites lowered once and used for many scenarios give the very problem that lowering from the files gives."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from planner.errors import InfeasibleError
from planner.lower import lower
from planner.lower.reuse import KnownSites, seen_of_sites
from sites import library
from sites.faults import InputError
from sites.scenarios.apply import Documents
from sites.scenarios.futures import load_futures
from sites.world import World, load_world, world_of_files


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


@pytest.mark.parametrize("toy", sorted(one.name for one in (library.FOLDER / "toys").iterdir() if one.is_dir()))
def test_a_site_of_every_toy_is_lowered_from_what_its_key_holds(toy: str) -> None:
    world = load_world(toy)
    mine, whole = lowered_or_why(world, KnownSites()), lowered_or_why(world, None)
    assert mine == whole if isinstance(whole, str) else not differing(mine, whole)


def lowered_or_why(world: World, known: KnownSites | None) -> Any:
    try:
        return lower(world, known=known).problem
    except (InfeasibleError, InputError) as error:
        return f"{type(error).__name__}: {error}"


def test_what_a_site_does_not_depend_on_cannot_be_read() -> None:
    seen = seen_of_sites(load_world("toy-supply"))
    for part, name in ((seen.portfolio, "contract"), (seen.portfolio.money, "residual"), (seen.portfolio, "envelope")):
        with pytest.raises(AttributeError):
            getattr(part, name)
    with pytest.raises(AttributeError):
        _ = seen.portfolio.supply[0].committed

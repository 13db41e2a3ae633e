"""Sites lowered once and used for many scenarios give the very problem that lowering from the files gives."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from planner.errors import InfeasibleError
from planner.lower import lower
from planner.lower.reuse import KnownSites, seen_of_sites
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from sites import library
from sites.faults import InputError
from sites.scenarios.apply import Documents
from sites.scenarios.futures import load_futures
from sites.world import World, gather_files, load_world, world_of_files

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize("name", ["toy-supply", "toy-duct-bank", "toy-swing"])
def test_a_known_site_gives_the_same_files_under_every_scenario(name: str, tmp_path: Path) -> None:
    known, documents = KnownSites(n_kept=1), Documents(load_world(name).files)
    for future in load_futures(["deal"]).values():
        world = world_of_files(documents.under(future).files)
        mine, whole = (files_of(world, tmp_path / future.name / end, own) for end, own in (("a", known), ("b", None)))
        assert mine == whole, future.name
    assert known.n_made < len(load_futures(["deal"]))


def files_of(world: World, folder: Path, known: KnownSites | None) -> dict[str, bytes]:
    """Every file of a run but what tells of its time."""
    options = SolveOptions(work_limit=200, n_threads=1)
    run = create_run(world, RunRequest(folder, options, with_report=False), lambda _: None, known)
    found = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    del found["manifest.json"]
    return found | {
        "plan.json": repr(run.document | {"wall_s": None}).encode(),
        "warnings": repr(run.warnings).encode(),
    }


def test_later_systems_share_all_but_from_when_on_racks_may_stand() -> None:
    """Limits are worked out again only where racks may never stand any more."""
    known, starts = KnownSites(), []
    for quarter in ("2027-Q1", "2027-Q2", "2027-Q3"):
        deliveries = f"[{{quarter: {quarter}, racks: 5}}]".encode()
        files = [
            replace(file, content=re.sub(rb"(?<=deliveries: )\[.*\]", deliveries, file.content))
            for file in gather_files("toy-supply")
        ]
        starts.append(int(lower(world_of_files(files), known=known).problem.first_period.min()))
    assert starts == [0, 1, 2]
    assert known.n_made == 1


def test_prices_of_energy_share_a_site_and_each_is_paid() -> None:
    known = KnownSites()
    for price in (b"40 USD/MWh", b"60 USD/MWh", b"90 USD/MWh"):
        files = [
            replace(file, content=re.sub(rb"(?<=energy_price: ).*", price, file.content))
            for file in gather_files("toy-supply")
        ]
        world = world_of_files(files)
        mine = lower(world, known=known)
        assert not differing(mine.problem, lower(world).problem)
        assert all(site.graphs.site.energy_price == world.sites[0].site.energy_price for site in mine.sites.values())
    assert known.n_made == 1


def test_sites_of_one_portfolio_do_not_put_each_other_out() -> None:
    known, world = KnownSites(n_kept=1), load_world("toy-shared-envelope")
    assert len(world.sites) > 1
    first, again = lower(world, known=known).problem, lower(world, known=known).problem
    assert not differing(first, again)
    assert known.n_made == len(world.sites)


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
        _ = seen.portfolio.supply
    with pytest.raises(AttributeError):
        _ = seen.sites[0].site.energy_price

"""What more demand, better prices, faster racks and freer work are worth: never less than before; books agree."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from toy_cases import TOYS

from planner.export import highs_optimum
from planner.lower import lower
from sites.schema.portfolio import Perspective
from sites.world import load_world

if TYPE_CHECKING:
    from sites.schema.workload import Workload
    from sites.world import World


def world_of(toy: str, **portfolio: Any) -> World:
    """A toy with other keys of its portfolio."""
    world = load_world(TOYS / toy / "portfolio.yaml")
    return replace(world, portfolio=world.portfolio.model_copy(update=portfolio))


def worth_cents(world: World) -> int:
    """Worth of the best plan."""
    return highs_optimum(lower(world).problem).objective_cents


def with_workloads(world: World, **changes: Any) -> World:
    """The world with all its workloads changed."""
    changed = tuple(one.model_copy(update=changes) for one in world.portfolio.workloads)
    return replace(world, portfolio=world.portfolio.model_copy(update={"workloads": changed}))


def with_tiers(world: World, key: str, factor: Fraction) -> World:
    """The world with price or demand of every tier times a factor."""

    def tiers(workload: Workload) -> Any:
        for tier in workload.tiers:
            steps = [step.model_copy(update={"rate": step.rate * factor}) for step in tier.demand]
            yield tier.model_copy(update={"price": tier.price * factor} if key == "price" else {"demand": tuple(steps)})

    changed = tuple(one.model_copy(update={"tiers": tuple(tiers(one))}) for one in world.portfolio.workloads)
    return replace(world, portfolio=world.portfolio.model_copy(update={"workloads": changed}))


@pytest.mark.parametrize("toy", ["toy-work", "toy-work-choice", "toy-work-residency", "toy-work-accepted"])
@pytest.mark.parametrize("key", ["price", "demand"])
def test_more_demand_and_better_prices_are_never_worth_less(toy: str, key: str) -> None:
    world = world_of(toy)
    worths = [worth_cents(with_tiers(world, key, Fraction(n, 4))) for n in (2, 3, 4, 5)]
    assert worths == sorted(worths)
    assert worths[0] < worths[-1]


@pytest.mark.parametrize("toy", ["toy-work", "toy-penalty", "toy-work-choice"])
def test_more_work_for_each_unit_is_never_worth_more(toy: str) -> None:
    world = world_of(toy)
    worths = [worth_cents(with_workloads(world, work_factor=Fraction(n, 2))) for n in (1, 2, 3, 6)]
    assert worths == sorted(worths, reverse=True)
    assert worths[0] > worths[-1]


def test_work_that_may_run_anywhere_is_worth_no_less() -> None:
    """Three racks instead of two, of which each brings 57,680 USD."""
    world = world_of("toy-work-residency")
    assert worth_cents(with_workloads(world, sites=None)) - worth_cents(world) == 57_680_00


def test_owner_and_user_together_plan_as_a_user_who_rents_for_the_price() -> None:
    """The same racks, worth the same, where rent over a life is the price of a rack."""
    customer = highs_optimum(lower(world_of("toy-chain-customer")).problem)
    chain = highs_optimum(lower(world_of("toy-chain-customer", perspective=Perspective.CHAIN)).problem)
    assert (customer.objective_cents, customer.decisions) == (chain.objective_cents, chain.decisions)
    assert customer.n_racks.tolist() == chain.n_racks.tolist()


def test_a_workload_cut_in_two_is_worth_the_same() -> None:
    """Two workloads of half the demand each pay as one does."""
    world = world_of("toy-work")
    half = with_tiers(world, "demand", Fraction(1, 2))
    [chat] = half.portfolio.workloads
    twins = (chat, chat.model_copy(update={"name": "chat-too"}))
    parted = replace(half, portfolio=half.portfolio.model_copy(update={"workloads": twins}))
    assert worth_cents(parted) == worth_cents(world)

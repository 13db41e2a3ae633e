"""What the checker works out once instead of over and over is what it would work out each time."""

from __future__ import annotations

import gc
from fractions import Fraction
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_cases import toy_cases
from verify_cases import verification_of

from planner.verify import sums_book, verify
from planner.verify.draws import ELECTRICAL
from planner.verify.flow import Flow, RoundedUp, TrueLosses
from planner.verify.limit_check import Loads
from planner.verify.points import RowPoints
from planner.verify.power import After, PowerCheck
from planner.verify.situations import LoadDraws, situations_of
from planner.verify.sums_book import SumsBook
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planner.verify.check import Verification
    from planner.verify.network import Outage
    from planner.verify.situations import Draws
    from planner.verify.standing import Standing

PORTFOLIOS = {case.name: case.portfolio for case in toy_cases()}
WIRED = ("toy-scheme-2n", "toy-flex-mixed", "toy-maintenance-pair", "toy-common-mode-class", "toy-dates")
"""Toys with parallel feeds, Flex rows, planned outages, groups that fail together, and halls that open later."""


@cache
def verified(name: str) -> Verification:
    """A toy with racks of every configuration in every row, more of them in later quarters; none need be allowed."""
    world = load_world(PORTFOLIOS[name])
    setting = verification_of(world).setting
    placements = [
        {"site": site, "row": row, "configuration": configuration, "period": period, "n_racks": 1 + (at + t) % 3}
        for site, rows in setting.rows.items()
        for at, row in enumerate(rows)
        for configuration in setting.offered
        for t, period in enumerate(setting.periods)
    ]
    return verification_of(world, {"placements": placements})


def standings(name: str) -> Iterator[Standing]:
    yield from verified(name).standing.values()


@given(st.lists(st.fractions(0, 10**9), min_size=1, max_size=5), st.integers(0, 32))
def test_draws_over_one_denominator_round_and_turn_to_floats_as_fractions_do(watts: list[Fraction], bits: int) -> None:
    denominator = 1
    for one in watts:
        denominator *= one.denominator
    draws = LoadDraws(tuple(int(one * denominator) for one in watts), denominator)
    assert draws.rounded_up(bits) == tuple(ceil(one * 2**bits) for one in watts)
    assert draws.floats() == tuple(float(one) for one in watts)


@pytest.mark.parametrize("name", WIRED)
def test_loads_draw_what_their_rows_drive_row_by_row(name: str) -> None:
    """Draws of every load in every state are the published sum over the rows that still run."""
    for standing in standings(name):
        for draws in states_of(standing):
            for node in draws.loads():
                found, due = draws.draw_w(node), drawn(standing, draws, node, frozenset())
                assert [Fraction(watts, found.denominator) for watts in found.numerators] == due
            for failed in draws.failures():
                outage = draws.states.outage(draws.epoch, failed)
                for node, left in draws.silenced(outage).items():
                    due = drawn(standing, draws, node, draws.cut_now(outage))
                    assert [Fraction(watts, left.denominator) for watts in left.numerators] == due


def states_of(standing: Standing) -> Iterator[Draws]:
    """Normal operation and planned outages, before Flex rows act and once they have."""
    for normal, planned in situations_of(standing):
        for draws in (normal, *planned):
            yield draws
            yield draws.acted(standing.limits.walker.flex)


def drawn(standing: Standing, draws: Draws, node: int, cut: frozenset[str]) -> list[Fraction]:
    """By the rule, in every period of an epoch and without the plan."""
    rows = [*(standing.electrical(t) for t in draws.periods), standing.occupied_electrical(draws.periods[0])]
    states, flex = draws.states, standing.limits.walker.flex if draws.denominator > 1 else {}
    found = []
    for one in rows:
        total = states.network.output_constant_w[node]
        for drive in states.drives[node]:
            for row in drive.rows & one.keys() - cut:
                left = flex.get(row, Fraction(1)) if drive.kind != "support_w" else 1
                runs = states.network.index[row] not in draws.wiring.dead
                total += runs * drive.watts_per_watt * one[row][drive.kind] * left
        found.append(total)
    return found


@pytest.mark.parametrize("name", WIRED)
def test_a_failure_moves_what_a_sum_of_all_that_is_left_gives(name: str) -> None:
    """Rounded flows are exact, so a failure's outputs are those of the whole state summed anew; true ones nearly."""
    for standing in standings(name):
        for draws, outage in failures_of(standing):
            new = draws.silenced(outage)
            wiring = draws.wiring.after(outage)
            left = {node: new.get(node, draws.draw_w(node)) for node in draws.loads() if node not in wiring.dead}
            steps = {node: watts.rounded_up(32) for node, watts in left.items()}
            floats = {node: watts.floats() for node, watts in left.items()}
            network, n = draws.states.network, draws.n_columns
            base = flow_of(draws, rounded=True).after(outage, {node: steps[node] for node in new})
            anew = Flow(network, wiring, steps, RoundedUp(network), n)
            assert base == {node: anew.output[node] for node in base}
            true = flow_of(draws, rounded=False).after(outage, {node: floats[node] for node in new})
            all_true = Flow(network, wiring, floats, TrueLosses(network), n)
            for node, watts in true.items():
                assert watts == pytest.approx(all_true.output[node], rel=1e-9, abs=1e-3)


def failures_of(standing: Standing) -> Iterator[tuple[Draws, Outage]]:
    for draws in states_of(standing):
        for failed in draws.failures():
            yield draws, draws.states.outage(draws.epoch, failed)


def flow_of(draws: Draws, *, rounded: bool) -> Flow[Any]:
    network = draws.states.network
    loads = {node: draws.draw_w(node) for node in draws.loads()}
    if rounded:
        steps = {node: watts.rounded_up(32) for node, watts in loads.items()}
        return Flow(network, draws.wiring, steps, RoundedUp(network), draws.n_columns)
    floats = {node: watts.floats() for node, watts in loads.items()}
    return Flow(network, draws.wiring, floats, TrueLosses(network), draws.n_columns)


@pytest.mark.parametrize("name", WIRED)
def test_a_book_that_begins_anew_all_the_time_gives_the_same_flows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [outputs for standing in standings(name) for outputs in outputs_of(standing)]
    monkeypatch.setattr(sums_book, "_MOST", 3)
    assert [outputs for standing in standings(name) for outputs in outputs_of(standing)] == kept


def outputs_of(standing: Standing) -> Iterator[Any]:
    for state in PowerCheck("site", standing).states():
        yield (state.before, state.acted, state.out_before) if isinstance(state, After) else dict(state.flow.output)


def test_a_book_keeps_one_of_equal_sums_and_adds_floats_in_order() -> None:
    book: SumsBook[float] = SumsBook()
    left, right = book.kept((0.1, 1.0)), book.kept((0.2, 1.0))
    assert book.sum(left, right) is book.sum(left, right)
    assert book.sum(left, right) == (0.1 + 0.2, 2.0)
    assert book.kept((0.1, 1.0)) is left
    known, old, new = book.kept((0.7,)), book.kept((0.1,)), book.kept((0.3,))
    assert book.moved(known, old, new) == (0.7 - 0.1 + 0.3,)
    assert book.moved(None, old, None) == (-0.1,)
    before, after = ((4, old), (5, old)), ((4, new), (5, new), (7, known))
    assert book.changes(before, after) == ((old, new, (4, 5)), (None, known, (7,)))


@pytest.mark.parametrize("name", WIRED)
def test_no_element_that_a_row_could_fill_is_left_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own limits of rows are the same when every element above a row is looked at."""
    few = list(power_limits(verified(name)))
    monkeypatch.setattr(RowPoints, "_candidates", everything_above)
    assert list(power_limits(verified(name))) == few


def everything_above(self: RowPoints, row: str, epoch: int) -> frozenset[int]:
    walker = self.limits.walker
    above = walker.ancestors(row) - walker.states.wiring(epoch).dead
    return frozenset(node for node in above if walker.network.rating_w[node] is not None)


def power_limits(verification: Verification) -> Iterator[Any]:
    for site, limits in verification.limits.items():
        check = PowerCheck(site, verification.standing[site])
        for _ in check.states():
            pass
        draws, periods = verification.setting.draws, verification.periods
        points = RowPoints(site, limits, verification.everything, draws, periods, check, {})
        for quarter in periods:
            for row in limits.rows:
                if limits.exists(row, quarter):
                    yield row, quarter, sorted(points._power_limits(row, quarter))


@pytest.mark.parametrize("name", WIRED)
def test_limits_that_are_kept_for_many_quarters_are_those_of_each(name: str) -> None:
    """Terms, and what the plan's racks put on them, are those of the limit built and summed for its quarter alone."""
    verification = verified(name)
    everything = verification.everything
    loads = Loads(verification.standing, verification.periods)
    for t, quarter in enumerate(verification.periods):
        for full in [*everything.site_names(None), *everything.site_names(quarter)]:
            site, family, element, *details = full.split(":")
            terms, due = (
                everything.terms(full, quarter),
                verification.limits[site].terms(family, element, tuple(details), quarter),
            )
            assert (terms is None) == (due is None)
            if terms is not None and due is not None:
                assert terms.capacity == due.capacity
                assert terms.rows == {f"{site}:{row}": kinds for row, kinds in due.rows.items()}
                assert loads.of(terms.rows, quarter) == verification.standing[site].load(due.rows, t)


def test_toys_draw_something_of_every_kind() -> None:
    """Otherwise nothing above would be tested."""
    for name in WIRED:
        for standing in standings(name):
            drawn_kinds = {kind for kinds in standing.electrical(0).values() for kind, watts in kinds.items() if watts}
            assert drawn_kinds == set(ELECTRICAL)


def test_a_run_that_cannot_be_read_leaves_the_collector_as_it_was(tmp_path: Path) -> None:
    assert gc.isenabled()
    assert [check.name for check in verify(tmp_path).checks] == ["readable"]
    assert gc.isenabled()
    gc.disable()
    try:
        verify(tmp_path)
        assert not gc.isenabled()
    finally:
        gc.enable()

"""Grace Blackwell against Vera Rubin: crossings by hand, money again in floats, nothing beyond a measurement."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_cases import world_of

from planner.generation_choice.answer import bases_of_both, choices
from planner.generation_choice.criteria import Criterion, usd_per_million, value_usd_per_megawatt
from planner.generation_choice.envelope import Line, roots, spans, through, value
from planner.generation_choice.life import (
    GRACE_BLACKWELL,
    VERA_RUBIN,
    LifeBook,
    RackLife,
    Scenario,
    facility_usd_per_it_watt_year,
    meter_at,
)
from planner.generation_choice.stretches import Stretch, stretches
from planner.generation_choice.territories import Outcome, outcome, rental_price
from planner.generation_choice.thresholds import Lever, generation_at, thresholds
from planner.generation_choice.wording import batch_sentence, figure, grid_lines, outcome_sentence, window_sentence
from planner.report.generations import generations_view
from sites.catalog.loader import load_catalog
from sites.faults import InputError
from sites.schema.throughput import ThroughputBasis
from sites.throughput import ThroughputError, serving_rate

if TYPE_CHECKING:
    from planner.generation_choice.choice import Choice

CATALOG = load_catalog()
GB, VR = CATALOG.configuration("gb300-nvl72"), CATALOG.configuration("vr-nvl72/max-p")
DEEPSEEK = "deepseek-r1-mlperf-v6-1"
KNOWN = {"source": "made for tests", "status": "measured"}


def curve(system: str, *points: tuple[int | None, int], software: str = "engine") -> dict[str, Any]:
    """A curve by the rack, points as speed and rate."""
    return {
        "system": system,
        "profile": "standard" if system == "gb300-nvl72" else "max-p",
        "software": software,
        "measured": "2026-Q3",
        "per": "rack",
        "points": [
            ({} if speed is None else {"speed": {"value": f"{speed} tokens/s/user", **KNOWN}})
            | {"ttft": {"value": None, "reason": "not measured", **KNOWN}, "rate": {"value": f"{rate} 1/s", **KNOWN}}
            for speed, rate in points
        ],
    }


def basis(*curves: dict[str, Any]) -> ThroughputBasis:
    content = {
        "name": "made",
        "title": "Made for tests",
        "model": "A model",
        "model_class": "large",
        "kind": "inference",
        "counts": "output-tokens",
        "conditions": "None",
        "curves": list(curves),
    }
    return ThroughputBasis.model_validate(content)


def life(configuration: Any, cost_usd: int, *, meter_w: int = 1, rental_usd_per_s: int = 1) -> RackLife:
    """A rack that costs so much and works 100 s."""
    none = Fraction(0)
    return RackLife(
        configuration, Fraction(cost_usd), none, none, none, none, none, None, Fraction(100), Fraction(100),
        Fraction(rental_usd_per_s), Fraction(meter_w), "2027-Q1",
    )  # fmt: skip


TOY = basis(curve("gb300-nvl72", (10, 100), (30, 20)), curve("vr-nvl72", (10, 100), (30, 80)))
TOY_LIVES = (life(GB, 100), life(VR, 200, meter_w=3))


def stretches_of(made: ThroughputBasis) -> dict[str, tuple[Stretch, ...]]:
    return {one.name: stretches(made, one) for one in (GB, VR)}


def toy(criterion: Criterion, made: ThroughputBasis = TOY, price_usd: Fraction | None = None) -> Outcome:
    return outcome(TOY_LIVES, stretches_of(made), criterion, price_usd)


def test_a_crossing_by_hand() -> None:
    """1/100 + 0.002 u = 2 · (1/100 + 0.000125 u) at u = 40/7 beyond the points at 10."""
    found = toy(Criterion.COST)
    [crossing] = found.crossings
    assert crossing.speed == 10 + Fraction(40, 7)
    assert (crossing.exact, crossing.jump) == (True, False)
    assert (crossing.slower.configuration, crossing.faster.configuration) == ("gb300-nvl72", "vr-nvl72/max-p")
    assert (crossing.slower.segment, crossing.faster.segment) == ("10 to 30", "10 to 30")
    assert found.generations == (GRACE_BLACKWELL, VERA_RUBIN)


def test_cost_at_a_speed_by_hand() -> None:
    """A rack of 200 USD that works 100 s at 100 a second makes 10,000 for 200 USD."""
    assert usd_per_million(TOY_LIVES[1], Criterion.COST, Fraction(1, 100)) == 20_000


def test_value_of_a_megawatt_by_hand() -> None:
    """10,000 at 5 cents are 500 USD, less 200, on 3 W: 100 USD for each watt."""
    assert value_usd_per_megawatt(TOY_LIVES[1], Fraction(1, 100), Fraction(1, 20)) == 100 * 10**6


def test_a_crossing_by_value_is_a_tie() -> None:
    """At a price of 0.1: 1,000/x − 100 on 1 W against 1,000/x − 200 on 3 W, a quadratic with an irrational root."""
    [crossing] = toy(Criterion.VALUE, price_usd=Fraction(1, 10)).crossings
    assert not crossing.exact
    assert not crossing.jump

    def values(speed: Fraction) -> tuple[float, float]:
        racks = [Fraction(1) / serving_rate(TOY, one, speed).rate_per_s for one in (GB, VR)]
        pairs = zip(TOY_LIVES, racks, strict=True)
        one, other = (value_usd_per_megawatt(life, own, Fraction(1, 10)) for life, own in pairs)
        return float(one), float(other)

    one, other = values(crossing.speed)
    assert one == pytest.approx(other, rel=1e-12)
    below, above = values(crossing.speed - Fraction(1, 1000)), values(crossing.speed + Fraction(1, 1000))
    assert below[0] > below[1]
    assert above[0] < above[1]


def test_the_two_criteria_differ() -> None:
    """Three times the power for twice the cost: where power binds, the cheaper one holds out longer."""
    [by_cost] = toy(Criterion.COST).crossings
    [by_value] = toy(Criterion.VALUE, price_usd=Fraction(1, 10)).crossings
    assert by_value.speed > by_cost.speed


def test_the_two_criteria_agree_where_a_rental_just_pays_the_rack() -> None:
    """A rack of 100 USD that earns 1 USD in each of 100 s is worth nothing; so is one whose tokens cost the same."""
    assert toy(Criterion.VALUE).crossings == toy(Criterion.COST).crossings


def test_the_price_of_a_token_is_the_cheapest_rental() -> None:
    """A Grace Blackwell rack at 1 USD a second makes 50 a second: 2 cents for one. Vera Rubin's rental is no matter."""
    racks = {GB.name: Line(Fraction(1, 50)), VR.name: Line(Fraction(1, 1000))}
    [span] = rental_price(TOY_LIVES, racks, Fraction(0), Fraction(1))
    assert span.best.at_zero == Fraction(1, 50)
    assert rental_price(TOY_LIVES[1:], racks, Fraction(0), Fraction(1)) == []


def test_a_curve_that_ends_makes_a_jump() -> None:
    """The first software reaches 20 only; beyond it the second is so slow that Vera Rubin costs less at once."""
    made = basis(
        curve("gb300-nvl72", (10, 100), (20, 90), software="first"),
        curve("gb300-nvl72", (10, 10), (30, 9), software="second"),
        curve("vr-nvl72", (10, 100), (30, 80)),
    )
    [crossing] = toy(Criterion.COST, made).crossings
    assert crossing.speed == 20
    assert crossing.jump
    assert (crossing.slower.software, crossing.faster.configuration) == ("first", "vr-nvl72/max-p")


def test_nothing_is_extrapolated() -> None:
    """Grace Blackwell was measured to 20 only: what would cross at 25 is not said to cross."""
    made = basis(curve("gb300-nvl72", (10, 100), (20, 60)), curve("vr-nvl72", (10, 100), (40, 90)))
    found = toy(Criterion.COST, made)
    assert found.crossings == ()
    assert found.generations == (GRACE_BLACKWELL,)
    assert [one.end for one in found.territories if one.contested][-1] == 20
    alone = [one for one in found.territories if not one.contested]
    assert [(one.start, one.end, one.side.generation) for one in alone] == [(Fraction(20), Fraction(40), VERA_RUBIN)]


def test_a_dearer_rack_never_wins_more() -> None:
    speeds = []
    for cost in range(110, 500, 30):
        lives = (TOY_LIVES[0], life(VR, cost))
        found = outcome(lives, stretches_of(TOY), Criterion.COST)
        speeds.append(found.crossings[0].speed if found.crossings else Fraction(30))
    assert speeds == sorted(speeds)
    assert speeds[0] < speeds[-1]


BOTH = bases_of_both(world_of("claude-on-azure-1gw"))
OFFERED = [CATALOG.configuration(name) for name in world_of("claude-on-azure-1gw").portfolio.configurations]


@given(st.integers(0, len(BOTH) - 1), st.integers(0, len(OFFERED) - 1), st.fractions(min_value=0, max_value=210))
def test_stretches_are_the_rates_that_plans_use(number: int, index: int, speed: Fraction) -> None:
    measured, configuration = BOTH[number], OFFERED[index]
    own = [one for one in stretches(measured, configuration) if one.start < speed <= one.end]
    try:
        rate = serving_rate(measured, configuration, speed).rate_per_s
    except ThroughputError:
        assert not own
        return
    if speed > 0:
        assert [1 / one.racks.at(speed) for one in own] == [rate]


def test_stretches_follow_each_other_and_rates_fall() -> None:
    for measured in BOTH:
        for configuration in OFFERED:
            own = stretches(measured, configuration)
            assert all(before.end == after.start for before, after in pairwise(own))
            ends = [racks for one in own for racks in (one.racks.at(one.start), one.racks.at(one.end))]
            assert ends == sorted(ends)


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=5),
    st.fractions(min_value=0, max_value=4),
)
def test_spans_are_the_lower_envelope(pairs: list[tuple[int, int]], x: Fraction) -> None:
    lines = [Line(Fraction(at_zero), Fraction(slope)) for at_zero, slope in pairs]
    found = spans(lines, Line.less, Fraction(0), Fraction(4))
    assert (found[0].start, found[-1].end) == (Fraction(0), Fraction(4))
    assert all(before.end == after.start for before, after in pairwise(found))
    best = next(one.best for one in found if one.start <= x <= one.end)
    assert best.at(x) == min(line.at(x) for line in lines)


def test_roots_of_a_quadratic() -> None:
    """x² − 5x + 6 has 2 and 3; x² − 2 has √2, which no quotient is; x² + 1 has none."""
    ten = Fraction(10)
    assert roots((Fraction(6), Fraction(-5), Fraction(1)), Fraction(0), ten) == [
        (Fraction(2), True),
        (Fraction(3), True),
    ]
    [(root, exact)] = roots((Fraction(-2), Fraction(0), Fraction(1)), Fraction(0), ten)
    assert not exact
    assert abs(value((Fraction(-2), Fraction(0), Fraction(1)), root)) < Fraction(1, 2**60)
    assert roots((Fraction(1), Fraction(0), Fraction(1)), Fraction(0), ten) == []
    assert roots((Fraction(0), Fraction(0), Fraction(0)), Fraction(0), ten) == []
    assert through(Fraction(1), Fraction(2), Fraction(3), Fraction(6)) == Line(Fraction(0), Fraction(2))


# --- In the money of the library's portfolio ------------------------------------------------------------------------


@cache
def book() -> LifeBook:
    world = world_of("claude-on-azure-1gw")
    return LifeBook(meter_at(world, world.sites[0]), world.catalog, "inference")


@cache
def deepseek() -> Choice:
    [found] = choices(world_of("claude-on-azure-1gw"), DEEPSEEK)
    return found


def test_money_of_a_rack_again_in_floats() -> None:
    """GB300 from 2027-Q3, when Vera Rubin is first delivered, for 20 quarters at 9 % a year and 86.8 USD/MWh."""
    found = next(one for one in book().lives(Scenario()) if one.configuration.name == "gb300-nvl72")
    discounts = [1.09 ** (-t / 4) for t in range(2, 22)]
    energy_mwh = 0.140 * 0.80 * 1.15 * 2190
    average = float(found.configuration.profile.average_inference.value or 0)
    energy_mwh *= average / 0.80
    assert float(found.rack_usd) == pytest.approx(4.5e6 * discounts[0])
    assert float(found.network_usd) == pytest.approx(686_880 * discounts[0])
    assert float(found.energy_usd) == pytest.approx(energy_mwh * 86.8 * sum(discounts))
    assert float(found.upkeep_usd) == pytest.approx(140_000 * 0.31 / 4 * sum(discounts))
    assert float(found.work_s) == pytest.approx(2190 * 3600 * 0.85 * sum(discounts[1:]))
    falling = [discount * 0.92 ** (t / 4) for t, discount in enumerate(discounts, 2)]
    assert float(found.paid_work_s) == pytest.approx(2190 * 3600 * 0.85 * sum(falling[1:]))
    assert float(found.rental_usd_per_s) == pytest.approx(0.85 * 5 * 72 / 3600)
    assert found.demand_usd == 0
    assert found.start == "2027-Q3"


def test_a_demand_charge_is_paid_for_the_draw_at_the_meter() -> None:
    world = world_of("claude-on-azure-1gw")
    meter = meter_at(world, world.sites[0])
    charged = replace(meter, supply=replace(meter.supply, demand_charge_usd_per_kw_month=Fraction(10)))
    dearer = LifeBook(charged, world.catalog, "inference").lives(Scenario())
    for one, before in zip(dearer, book().lives(Scenario()), strict=True):
        discounts = sum(1.09 ** (-t / 4) for t in range(2, 22))
        assert float(one.demand_usd) == pytest.approx(float(one.meter_w) / 1000 * 10 * 3 * discounts)
        assert one.energy_usd == before.energy_usd


def test_the_facility_is_an_annuity_kept_apart() -> None:
    rate = facility_usd_per_it_watt_year(CATALOG, Fraction("0.09"))
    assert float(rate or 0) == pytest.approx(11.7 * 0.09 / (1 - 1.09**-15))
    assert facility_usd_per_it_watt_year(CATALOG, Fraction(0)) == Fraction("11.7") / 15
    assert facility_usd_per_it_watt_year(replace(CATALOG, economics={}), Fraction("0.09")) is None
    one = book().lives(Scenario())[1]
    assert one.facility_usd is not None
    assert one.cost_usd == one.rack_usd + one.network_usd + one.energy_usd + one.demand_usd + one.upkeep_usd


def test_a_slip_moves_worth_and_not_cost() -> None:
    now, later = (book().lives(Scenario(slip_quarters=slip))[-1] for slip in (0, 4))
    assert float(later.cost_usd / later.work_s) == pytest.approx(float(now.cost_usd / now.work_s))
    worths = [value_usd_per_megawatt(one, Fraction(1, 10**6), Fraction(3, 10**7)) for one in (now, later)]
    assert worths[0] > worths[1]
    assert later.start == "2028-Q3"
    assert book().lives(Scenario(slip_quarters=4))[0] == book().lives(Scenario())[0]


def test_the_same_energy_price_is_no_change() -> None:
    assert book().lives(Scenario(energy_price_usd_per_mwh=Fraction("86.8"))) == book().lives(Scenario())


def test_at_the_break_even_price_of_a_rack_both_cost_the_same() -> None:
    racks = {"gb300-nvl72": Fraction(1, 679_740), "vr-nvl72/max-p": Fraction(1, 1_183_327)}
    price = Fraction(1, 10**7)
    for criterion in (Criterion.COST, Criterion.VALUE):
        [even] = [one for one in thresholds(book(), racks, criterion, price) if one.lever is Lever.RACK_PRICE]
        assert (even.below, even.above) == (VERA_RUBIN, GRACE_BLACKWELL)
        factor = even.value / book().prices.rack_usd["vr-nvl72"]
        by_name = {one.configuration.name: one for one in book().lives(Scenario(rack_price_factor=factor))}
        gb, vr = (by_name[name] for name in racks)
        if criterion is Criterion.COST:
            assert usd_per_million(gb, criterion, racks["gb300-nvl72"]) == usd_per_million(
                vr, criterion, racks["vr-nvl72/max-p"]
            )
        else:
            one = value_usd_per_megawatt(gb, racks["gb300-nvl72"], price)
            assert one == value_usd_per_megawatt(vr, racks["vr-nvl72/max-p"], price)
        for step, better in ((Fraction(99, 100), VERA_RUBIN), (Fraction(101, 100), GRACE_BLACKWELL)):
            lives = book().lives(Scenario(rack_price_factor=factor * step))
            assert generation_at(lives, racks, criterion, price) == better


def test_a_break_even_price_of_energy_is_found_exactly() -> None:
    """Rates chosen so that both cost the same at 100 USD/MWh; beyond it the rack with less energy for its work wins."""
    by_name = {one.configuration.name: one for one in book().lives(Scenario(energy_price_usd_per_mwh=Fraction(100)))}
    gb, vr = by_name["gb300-nvl72"], by_name["vr-nvl72/max-p"]
    racks = {"gb300-nvl72": Fraction(1), "vr-nvl72/max-p": gb.cost_usd / vr.cost_usd}
    found = [
        one for one in thresholds(book(), racks, Criterion.COST, Fraction(1)) if one.lever is Lever.ENERGY_PRICE
    ]  # fmt: skip
    assert [one.value for one in found] == [100]
    frugal = VERA_RUBIN if vr.energy_mwh * racks["vr-nvl72/max-p"] < gb.energy_mwh else GRACE_BLACKWELL
    assert found[0].above == frugal


def test_a_break_even_rate_by_cost_is_the_ratio_of_costs() -> None:
    """Training: Vera Rubin must do 1.65 times a GB300 rack to cost the same, within the 1.6 to 3.0 that are assumed."""
    [found] = choices(world_of("claude-on-azure-1gw"), "training-against-gb300")
    [batch] = found.lines
    costs = {one.life.configuration.name: one.usd_per_million for one in batch.options}
    [even] = [one for one in batch.thresholds if one.lever is Lever.RATE and one.criterion is Criterion.COST]
    assert even.value == costs["vr-nvl72/max-p"] / min(costs["gb200-nvl72"], costs["gb300-nvl72"])
    assert (even.below, even.above) == (GRACE_BLACKWELL, VERA_RUBIN)
    assert float(even.value) * 2.2 == pytest.approx(1.65, abs=0.01)
    assert (batch.rate_range.low, batch.rate_range.high) == (Fraction(16, 22), Fraction(30, 22) / Fraction(9, 10))
    assert batch.rate_range.holds(even.value)
    assert "not settled" in batch_sentence(found, Criterion.COST)


def test_at_the_break_even_rate_a_megawatt_is_worth_the_same() -> None:
    racks = {"gb300-nvl72": Fraction(1, 679_740), "vr-nvl72/max-p": Fraction(1, 1_183_327)}
    price = Fraction(1, 10**7)
    found = thresholds(book(), racks, Criterion.VALUE, price)
    [even] = [one for one in found if one.lever is Lever.RATE]
    by_name = {one.configuration.name: one for one in book().lives(Scenario())}
    worth = value_usd_per_megawatt(by_name["gb300-nvl72"], racks["gb300-nvl72"], price)
    assert worth == value_usd_per_megawatt(by_name["vr-nvl72/max-p"], racks["vr-nvl72/max-p"] / even.value, price)


def test_a_slip_that_flips_is_the_first_that_does() -> None:
    batch = deepseek().lines[0]
    [flip] = [one for one in batch.thresholds if one.lever is Lever.SLIP and one.criterion is Criterion.VALUE]
    racks = {one.life.configuration.name: 1 / one.rate.rate_per_s for one in batch.options}
    price = (batch.usd_per_million_price or Fraction(0)) / 10**6
    better = [
        generation_at(book().lives(Scenario(slip_quarters=slip)), racks, Criterion.VALUE, price)
        for slip in (int(flip.value) - 1, int(flip.value))
    ]
    assert better == [VERA_RUBIN, GRACE_BLACKWELL] == [flip.below, flip.above]


def test_lines_and_territories_agree() -> None:
    found = deepseek()
    for criterion in found.criteria:
        for line in found.lines:
            inside = [
                one for one in found.outcomes[criterion].territories
                if line.speed is not None and one.start < line.speed <= one.end
            ]  # fmt: skip
            assert [one.side.configuration for one in inside] == ([line.best[criterion]] if inside else [])


def test_dearer_racks_leave_slow_users_to_grace_blackwell() -> None:
    """Crossings by cost move up with the price of a Vera Rubin rack, and none appears when it falls."""
    found = [line for line in deepseek().grid if line.lever is Lever.RACK_PRICE]
    speeds = [
        line.outcomes[Criterion.COST].crossings[0].speed if line.outcomes[Criterion.COST].crossings else Fraction(0)
        for line in found
    ]
    assert speeds == sorted(speeds)
    assert speeds[-1] > 0


def test_batch_flips_to_grace_blackwell_before_any_speed_does() -> None:
    """What the curves say at library prices: Vera Rubin for both, batch by a few percent that are not settled."""
    found = deepseek()
    batch, *timed = [line for line in found.lines if line.contested]
    assert all(line.best[criterion].startswith("vr-") for line in (batch, *timed) for criterion in found.criteria)
    assert found.outcomes[Criterion.COST].generations == (VERA_RUBIN,)
    assert "never flips within the measured range" in outcome_sentence(found, Criterion.COST)
    assert "not settled" in batch_sentence(found, Criterion.COST)
    window = window_sentence(found, Criterion.COST)
    assert window is not None
    assert window.endswith("batch work belongs on Grace Blackwell and every listed speed on Vera Rubin.")
    dear = [line for line in found.grid if line.lever is Lever.RACK_PRICE and line.value == 10]
    assert [line.batch[Criterion.COST] for line in dear] == [GRACE_BLACKWELL]
    assert [line.outcomes[Criterion.COST].generations for line in dear] == [(VERA_RUBIN,)]


def test_offline_work_for_each_megawatt_favours_vera_rubin_by_a_tenth() -> None:
    """MLPerf offline is 1.12 times for each all-in kW; at the meter, losses and cooling included, the same."""
    options = {one.life.configuration.name: one for one in deepseek().lines[0].options}
    ratio = options["vr-nvl72/max-p"].units_per_megawatt_year / options["gb300-nvl72"].units_per_megawatt_year
    assert float(ratio) == pytest.approx(1.12, abs=0.01)


def test_a_price_of_tokens_can_be_given() -> None:
    world = world_of("claude-on-azure-1gw")
    [cheap] = choices(world, DEEPSEEK, price_usd_per_million=Fraction("0.05"), speeds=[Fraction(40), Fraction(100)])
    assert {line.usd_per_million_price for line in cheap.lines} == {Fraction("0.05")}
    at = {line.speed: line for line in cheap.lines}
    assert at[Fraction(40)].contested
    assert at[Fraction(100)].options == ()
    assert at[Fraction(100)].best == {}
    loss = next(one for one in at[Fraction(40)].options if one.life.configuration.name == "gb300-nvl72")
    assert (loss.value_usd_per_megawatt_year or 0) < 0


def test_each_site_has_its_own_tariff() -> None:
    world = world_of("claude-on-azure-1gw")
    [other] = choices(world, DEEPSEEK, "abilene-expansion")
    assert other.energy_usd_per_mwh == 66
    assert other.book.site.name == "abilene-expansion"
    assert other.lines[0].options[0].usd_per_million < deepseek().lines[0].options[0].usd_per_million


def test_steps_of_the_grid_that_agree_share_a_line() -> None:
    lines = grid_lines(deepseek())
    assert len(lines) < len(deepseek().grid)
    assert lines[0][0] == "energy at 20 to 200 USD/MWh"


@pytest.mark.parametrize(
    ("basis_name", "site", "told"),
    [
        ("llama-405b-mlperf-v6-0", None, "not both generations on offer were measured; take one of deepseek-r1"),
        ("deepseek-r1-mlperf-v6-2", None, "did you mean 'deepseek-r1-mlperf-v6-1'"),
        (None, "abilene", "abilene-expansion"),
    ],
)
def test_names_that_are_none(basis_name: str | None, site: str | None, told: str) -> None:
    with pytest.raises(InputError, match=told):
        choices(world_of("claude-on-azure-1gw"), basis_name, site)


def test_a_portfolio_of_one_generation_has_nothing_to_compare() -> None:
    world = world_of("claude-on-azure-1gw")
    alone = replace(world, portfolio=world.portfolio.model_copy(update={"configurations": ("gb300-nvl72",)}))
    assert bases_of_both(alone) == ()
    with pytest.raises(InputError, match="found gb300-nvl72, and no configuration of Vera Rubin"):
        choices(alone)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.008209, "0.008209"), (0.07718, "0.07718"), (0.25, "0.2500"), (42.382, "42.38"), (85_000, "85,000")],
)
def test_figures_keep_their_digits(number: float, text: str) -> None:
    assert figure(number) == text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"utilisation": Fraction(0)}, "racks that sell no hour have no cost of a token"),
        ({"acceptance_lag_quarters": 4, "economic_life_quarters": 4}, "found 4; below the economic life, 4, is due"),
    ],
)
def test_racks_that_make_nothing_have_no_cost(changes: dict[str, Any], told: str) -> None:
    world = world_of("claude-on-azure-1gw")
    money = world.portfolio.money.model_copy(update=changes)
    idle = replace(world, portfolio=world.portfolio.model_copy(update={"money": money}))
    with pytest.raises(InputError, match=told):
        choices(idle, DEEPSEEK)
    assert generations_view(idle) is None

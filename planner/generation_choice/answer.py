"""The comparison on every basis on which both generations were measured, in a portfolio's money at one site."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from planner.generation_choice.choice import Choice, GridLine, LeverRange, Option, SpeedLine
from planner.generation_choice.criteria import MILLION, Criterion, usd_per_million, value_usd_per_megawatt
from planner.generation_choice.envelope import Line
from planner.generation_choice.life import GRACE_BLACKWELL, TITLES, VERA_RUBIN, LifeBook, Scenario, meter_at
from planner.generation_choice.stretches import stretches
from planner.generation_choice.territories import outcome, rental_price
from planner.generation_choice.thresholds import Lever, generation_at, thresholds
from planner.lower.money import WATTS_PER_MEGAWATT
from sites.faults import Fault, InputError
from sites.nearest import unknown
from sites.throughput import ThroughputError, serving_rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.generation_choice.life import RackLife
    from planner.generation_choice.stretches import Stretch
    from sites.schema.common import Sourced
    from sites.schema.throughput import ThroughputBasis
    from sites.throughput import ServingRate
    from sites.world import World

HOURS_PER_YEAR, SECONDS_PER_HOUR = 8760, 3600
ONE = Fraction(1)
ENERGY_PRICES_USD_PER_MWH = tuple(map(Fraction, (20, 40, 60, 80, 100, 125, 150, 175, 200)))
SLIPS_QUARTERS = tuple(range(7))
RACK_PRICE_CHANGES_PERCENT = (-40, -20, -10, 0, 10, 20, 40)
BOTH = (Criterion.COST, Criterion.VALUE)


def bases_of_both(world: World) -> tuple[ThroughputBasis, ...]:
    """Bases on which a Grace Blackwell and a Vera Rubin system on offer were both measured, in catalogue order."""
    offered = [world.catalog.configuration(name).system for name in world.portfolio.configurations]
    generation = {system.name: system.generation for system in offered if system.generation in TITLES}
    return tuple(
        basis
        for basis in world.catalog.throughput.values()
        if len({generation[one.system] for one in basis.curves if one.system in generation}) == len(TITLES)
    )


def choices(
    world: World,
    basis: str | None = None,
    site: str | None = None,
    price_usd_per_million: Fraction | None = None,
    speeds: Sequence[Fraction] = (),
) -> tuple[Choice, ...]:
    """The comparison on one basis or on all that there are, in the portfolio's money.

    Parameters: basis, its name; site, whose tariff and meter count, the portfolio's first unless named;
    price_usd_per_million, of the basis' unit, by which value is reckoned: unless given, what it costs who rents Grace
    Blackwell; speeds, further ones to list, in tokens/s/user. Raises InputError for a name that is none and for a
    portfolio that does not offer both.
    """
    named = bases_of_both(world)
    if basis is not None:
        named = tuple(one for one in named if one.name == basis)
        if not named:
            raise InputError([Fault("--basis", None, "", _no_basis(world, basis))])
    at = world.sites[0]
    if site is not None:
        found = [one for one in world.sites if one.name == site]
        if not found:
            told = unknown("site of the portfolio", site, [one.name for one in world.sites])
            raise InputError([Fault("--site", None, "", told)])
        at = found[0]
    price = None if price_usd_per_million is None else price_usd_per_million / MILLION
    meter = meter_at(world, at)
    books = {kind: LifeBook(meter, world.catalog, kind) for kind in dict.fromkeys(str(one.kind) for one in named)}
    try:
        return tuple(_choice(books[str(one.kind)], one, price, speeds) for one in named)
    except ThroughputError as error:
        raise InputError([Fault("catalogue", None, "throughput", str(error))]) from None


def _no_basis(world: World, basis: str) -> str:
    both = [one.name for one in bases_of_both(world)]
    if basis in world.catalog.throughput:
        return (
            f"on '{basis}' not both generations on offer were measured; take one of {', '.join(both) or 'none'}, or "
            "measure it and name the file in 'throughput_files'"
        )
    return unknown("throughput basis", basis, both)


def _choice(book: LifeBook, basis: ThroughputBasis, price_usd: Fraction | None, speeds: Sequence[Fraction]) -> Choice:
    measured = {one.system for one in basis.curves}
    lives = tuple(one for one in book.lives(Scenario()) if one.configuration.system.name in measured)
    by_configuration = {one.configuration.name: stretches(basis, one.configuration) for one in lives}
    criteria = tuple(
        one for one in Criterion if one is not Criterion.COST_WITH_FACILITY or lives[0].facility_usd is not None
    )
    listed = measured_speeds(by_configuration) | set(speeds)
    return Choice(
        basis=basis,
        book=book,
        lives=lives,
        by_configuration=by_configuration,
        criteria=criteria,
        lines=tuple(_line(book, basis, lives, speed, price_usd, criteria) for speed in (None, *sorted(listed))),
        outcomes={one: outcome(lives, by_configuration, one, price_usd) for one in criteria},
        grid=_grid(book, basis, by_configuration, price_usd),
        ranges=_ranges(book),
        price_usd_per_million=None if price_usd is None else price_usd * MILLION,
    )


def measured_speeds(by_configuration: Mapping[str, tuple[Stretch, ...]]) -> set[Fraction]:
    """Speeds of all points of the curves that serve, in tokens/s/user."""
    curves = [stretch.curve for own in by_configuration.values() for stretch in own]
    points = [point.speed_tokens_per_s_user for curve in curves for point in curve.points]
    return {speed for speed in points if speed is not None}


def _rates(basis: ThroughputBasis, lives: Sequence[RackLife], speed: Fraction | None) -> dict[str, ServingRate]:
    """What each configuration does at a speed; those that were not measured so fast are left out."""
    found = {}
    for life in lives:
        try:
            found[life.configuration.name] = serving_rate(basis, life.configuration, speed)
        except ThroughputError:
            continue
    return found


def _price_at(lives: Sequence[RackLife], racks: Mapping[str, Fraction]) -> Fraction | None:
    """What a unit costs who rents Grace Blackwell for the least, at one speed."""
    rents = rental_price(lives, {name: Line(number) for name, number in racks.items()}, Fraction(0), Fraction(1))
    return rents[0].best.at_zero if rents else None


def _line(
    book: LifeBook,
    basis: ThroughputBasis,
    lives: Sequence[RackLife],
    speed: Fraction | None,
    price_usd: Fraction | None,
    criteria: Sequence[Criterion],
) -> SpeedLine:
    rates = _rates(basis, lives, speed)
    racks = {name: 1 / rate.rate_per_s for name, rate in rates.items()}
    price = _price_at(lives, racks) if price_usd is None else price_usd
    served = [one for one in lives if one.configuration.name in racks]
    options = tuple(_option(book, one, rates[one.configuration.name], price) for one in served)
    contested = len({one.generation for one in served}) > 1
    known = [one for one in criteria if one is not Criterion.VALUE or price is not None]
    weighed = [
        threshold
        for criterion in known
        if contested and price is not None
        for threshold in thresholds(book, racks, criterion, price)
    ]
    return SpeedLine(
        speed=speed,
        usd_per_million_price=None if price is None else price * MILLION,
        options=options,
        best={one: _best(options, one) for one in known if options},
        thresholds=tuple(weighed),
        rate_range=_rate_range(options),
    )


def _rate_range(options: Sequence[Option]) -> LeverRange:
    """From Vera Rubin at its lowest against Grace Blackwell at its highest, to the other way round."""
    spreads: dict[str, list[tuple[Fraction, Fraction]]] = {name: [] for name in TITLES}
    for one in options:
        for rate in (point.rate for point in one.rate.points):
            mode = rate.value or ONE
            spreads[one.life.generation].append(((rate.low or mode) / mode, (rate.high or mode) / mode))
    lows, highs = ({name: [one[end] for one in own] for name, own in spreads.items()} for end in (0, 1))
    if not all(spreads.values()):
        return LeverRange(Lever.RATE, None, None, None, "only one generation was measured")
    low = min(lows[VERA_RUBIN]) / max(highs[GRACE_BLACKWELL])
    high = max(highs[VERA_RUBIN]) / min(lows[GRACE_BLACKWELL])
    if low == high:
        return LeverRange(Lever.RATE, None, ONE, None, "the catalogue gives these rates no range")
    return LeverRange(Lever.RATE, low, ONE, high, "what the catalogue's ranges of the rates allow")


def _option(book: LifeBook, life: RackLife, rate: ServingRate, price_usd: Fraction | None) -> Option:
    racks = 1 / rate.rate_per_s
    cost = usd_per_million(life, Criterion.COST, racks)
    with_facility = usd_per_million(life, Criterion.COST_WITH_FACILITY, racks)
    sold_s = HOURS_PER_YEAR * SECONDS_PER_HOUR * book.portfolio.money.utilisation * _availability(book, life)
    value = None
    if price_usd is not None:
        value = value_usd_per_megawatt(life, racks, price_usd) / book.discounted_years
    return Option(
        life=life,
        rate=rate,
        usd_per_million=cost,
        facility_usd_per_million=None if life.facility_usd is None else with_facility - cost,
        units_per_megawatt_year=rate.rate_per_s * sold_s * WATTS_PER_MEGAWATT / life.meter_w,
        value_usd_per_megawatt_year=value,
    )


def _availability(book: LifeBook, life: RackLife) -> Fraction:
    return book.supply.availability(life.start)


def _best(options: Sequence[Option], criterion: Criterion) -> str:
    """The configuration that is best by a criterion; of equals the first."""

    def score(one: Option) -> Fraction:
        if criterion is Criterion.VALUE:
            return -(one.value_usd_per_megawatt_year or Fraction(0))
        facility = one.facility_usd_per_million if criterion is Criterion.COST_WITH_FACILITY else None
        return one.usd_per_million + (facility or Fraction(0))

    return min(options, key=score).life.configuration.name


def _grid(
    book: LifeBook,
    basis: ThroughputBasis,
    by_configuration: Mapping[str, tuple[Stretch, ...]],
    price_usd: Fraction | None,
) -> tuple[GridLine, ...]:
    """The choice at every step of each lever."""
    steps = [
        *((Lever.ENERGY_PRICE, one, Scenario(energy_price_usd_per_mwh=one)) for one in ENERGY_PRICES_USD_PER_MWH),
        *((Lever.SLIP, Fraction(one), Scenario(slip_quarters=one)) for one in SLIPS_QUARTERS),
        *(
            (Lever.RACK_PRICE, Fraction(one), Scenario(rack_price_factor=1 + Fraction(one, 100)))
            for one in RACK_PRICE_CHANGES_PERCENT
        ),
    ]
    return tuple(_grid_line(book, basis, by_configuration, price_usd, *step) for step in steps)


def _grid_line(
    book: LifeBook,
    basis: ThroughputBasis,
    by_configuration: Mapping[str, tuple[Stretch, ...]],
    price_usd: Fraction | None,
    lever: Lever,
    value: Fraction,
    scenario: Scenario,
) -> GridLine:
    lives = [one for one in book.lives(scenario) if one.configuration.name in by_configuration]
    racks = {name: 1 / rate.rate_per_s for name, rate in _rates(basis, lives, None).items()}
    price = _price_at(lives, racks) if price_usd is None else price_usd
    outcomes = {one: outcome(lives, by_configuration, one, price_usd) for one in BOTH}
    batch = {one: generation_at(lives, racks, one, price) for one in BOTH} if price is not None else {}
    return GridLine(lever, value, outcomes, batch)


def _ranges(book: LifeBook) -> tuple[LeverRange, ...]:
    later = next(one.configuration.system for one in book.lives(Scenario()) if one.generation == VERA_RUBIN)
    price, lead = later.price, later.lead_time_quarters
    late = None if lead.high is None or lead.value is None else lead.high - lead.value
    prices = "'industrial-price-us' of the catalogue has no range"
    return (
        LeverRange(Lever.RACK_PRICE, price.low, price.value, price.high, f"price of '{later.name}', {_firm(price)}"),
        LeverRange(Lever.SLIP, Fraction(0), Fraction(0), late, f"lead time of '{later.name}', {_firm(lead)}"),
        LeverRange(Lever.ENERGY_PRICE, None, book.supply.energy_price_usd_per_mwh, None, prices),
        LeverRange(Lever.TOKEN_PRICE, None, None, None, "the catalogue has no price of tokens"),
    )


def _firm(figure: Sourced[Fraction]) -> str:
    return f"{figure.status} in the catalogue"

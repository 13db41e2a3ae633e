"""Workloads, and the money of perspectives, against the rest of a portfolio and the catalogue's measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.calendar import quarter_index, quarter_name
from sites.nearest import unknown
from sites.schema.portfolio import Perspective
from sites.throughput import ThroughputError
from sites.workloads import dearer_than_before, measured_rate, penalty_usd_per_million, price_usd_per_million

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from sites.catalog.loader import Catalog, Configuration
    from sites.explain import Step
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.throughput import ThroughputBasis
    from sites.schema.workload import Tier, Workload

Found = tuple[str, tuple["Step", ...]]
"""A message and the keys of the portfolio that it is about."""


def workload_findings(
    portfolio: PortfolioFile, site_names: Sequence[str] | None, catalog: Catalog, n_decided: int
) -> Iterator[Found]:
    """Everything that workloads ask for and cannot have.

    Parameters: site_names, None where some site could not be loaded; n_decided, decision quarters.
    """
    yield from _idle_keys(portfolio)
    if not portfolio.workloads:
        return
    if portfolio.perspective is Perspective.PROVIDER:
        message = (
            "found workloads in the books of a provider, who earns rent and not from work; set 'perspective' to "
            "'chain' or 'customer', or remove them"
        )
        yield message, ("workloads",)
    if portfolio.goodput is None:
        yield "the key 'goodput' is missing, which workloads need; add it, for example {share: 0.9, …}", ()
    if portfolio.money.acceptance_lag_quarters >= portfolio.money.economic_life_quarters:
        message = (
            f"found {portfolio.money.acceptance_lag_quarters}, but racks live "
            f"{portfolio.money.economic_life_quarters} quarters; below that is due where racks work"
        )
        yield message, ("money", "acceptance_lag_quarters")
    n_quarters = n_decided + portfolio.money.economic_life_quarters - 1
    for index, workload in enumerate(portfolio.workloads):
        for message, path in _workload(portfolio, workload, site_names, catalog, n_quarters):
            yield message, ("workloads", index, *path)


def _idle_keys(portfolio: PortfolioFile) -> Iterator[Found]:
    """Keys that would do nothing, so that nothing is ignored in silence."""
    if portfolio.workloads:
        return
    for key in ("software_gains", "co_design_gains", "goodput"):
        if getattr(portfolio, key):
            yield (
                f"'{key}' changes what racks do for workloads, but there are none; add 'workloads', or remove it",
                (key,),
            )


def money_findings(portfolio: PortfolioFile) -> Iterator[Found]:
    """What perspectives and committed deliveries need of the money, and which of its keys would do nothing."""
    money = portfolio.money
    if portfolio.perspective is Perspective.CUSTOMER and money.market_factor != 1:
        message = (
            f"found {float(money.market_factor):g}, but a customer rents at the contract's price; set 1 for the "
            "perspective 'customer'"
        )
        yield message, ("money", "market_factor")
    committed = [index for index, one in enumerate(portfolio.supply) if one.committed]
    if committed and money.storage_share_per_quarter is None:
        message = (
            "the key 'storage_share_per_quarter' is missing, which committed deliveries need; add what a rack that is "
            "delivered and not placed costs each quarter as a share of its price, 0 if nothing"
        )
        yield message, ("money",)
    if not committed and money.storage_share_per_quarter is not None:
        message = "no supply is 'committed', so no delivered rack is stored; mark one, or remove this key"
        yield message, ("money", "storage_share_per_quarter")


def _workload(
    portfolio: PortfolioFile, workload: Workload, site_names: Sequence[str] | None, catalog: Catalog, n_quarters: int
) -> Iterator[Found]:
    for position, name in enumerate(workload.sites or ()):
        if site_names is not None and name not in site_names:
            yield unknown("site of the portfolio", name, site_names), ("sites", position)
        elif name in (workload.sites or ())[:position]:
            yield f"site '{name}' stands here a second time; remove one", ("sites", position)
    yield from _demand(portfolio, workload)
    yield from _order_of_tiers(portfolio, workload, n_quarters)
    basis = catalog.throughput.get(workload.basis)
    if basis is None:
        yield unknown("throughput basis", workload.basis, catalog.throughput), ("basis",)
    elif basis.kind is not workload.kind:
        message = f"basis '{basis.name}' measures {basis.kind}, not {workload.kind}; choose another, or the other kind"
        yield message, ("basis",)
    else:
        yield from _reach(_offered(portfolio, catalog), basis, workload)


def _demand(portfolio: PortfolioFile, workload: Workload) -> Iterator[Found]:
    """Demand is stated from the plan's first quarter on."""
    for index, tier in enumerate(workload.tiers):
        begins = tier.demand[0].start
        if quarter_index(begins) > quarter_index(portfolio.start):
            message = (
                f"the first step begins in {begins}, after the plan's start {portfolio.start}; add a step for the "
                "start, with rate: 0 1/s where nothing is asked yet"
            )
            yield message, ("tiers", index, "demand", 0, "start")


def _order_of_tiers(portfolio: PortfolioFile, workload: Workload, n_quarters: int) -> Iterator[Found]:
    """Tiers are sold in their order, so none may be worth more than the one before it in any quarter."""
    for quarter in range(n_quarters):
        found = dearer_than_before(workload.tiers, quarter)
        if found is None:
            continue
        before, after = found
        name = quarter_name(quarter_index(portfolio.start) + quarter)
        message = (
            f"tier '{after.name}' is worth {_worth(after, quarter)} USD/million in {name}, price and penalty together, "
            f"more than '{before.name}' before it with {_worth(before, quarter)}; tiers stand dearest first in every "
            "quarter of the plan, so reorder them or change a price or its decline"
        )
        yield message, ("tiers", workload.tiers.index(after), "price")
        return


def _worth(tier: Tier, n_quarters: int) -> str:
    return f"{float(price_usd_per_million(tier, n_quarters) + penalty_usd_per_million(tier)):.6g}"


def _offered(portfolio: PortfolioFile, catalog: Catalog) -> list[Configuration]:
    """Configurations on offer that the catalogue knows; others are faults elsewhere."""
    found = []
    for name in portfolio.configurations:
        try:
            found.append(catalog.configuration(name))
        except KeyError:
            continue
    return found


def _reach(offered: Sequence[Configuration], basis: ThroughputBasis, workload: Workload) -> Iterator[Found]:
    """Some configuration on offer reaches the service level."""
    refusals: list[str] = []
    for configuration in offered:
        try:
            measured_rate(basis, configuration, workload)
        except ThroughputError as error:
            refusals.append(str(error))
        else:
            return
    if not refusals:
        return
    fastest = _fastest(offered, basis)
    if workload.speed is not None and fastest is not None and workload.speed > fastest:
        message = (
            f"found a speed of {float(workload.speed):g} tokens/s/user, beyond every curve of basis '{basis.name}' for "
            f"the configurations on offer; the nearest speed allowed is {float(fastest):g} tokens/s/user"
        )
        yield message, ("speed",)
        return
    key = "basis" if workload.speed is None else "speed" if workload.ttft is None else "ttft"
    yield f"no configuration on offer serves this workload: {'; '.join(dict.fromkeys(refusals))}", (key,)


def _fastest(offered: Sequence[Configuration], basis: ThroughputBasis) -> Fraction | None:
    """The fastest speed measured on any system on offer, in tokens/s/user."""
    systems = {configuration.system.name for configuration in offered}
    speeds = [
        point.speed_tokens_per_s_user
        for curve in basis.curves
        if curve.system in systems and curve.outside_catalogue is None
        for point in curve.points
    ]
    return max((speed for speed in speeds if speed is not None), default=None)

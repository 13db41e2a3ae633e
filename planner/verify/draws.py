"""What one rack of a configuration draws, in whole units rounded up (section 3 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sites.catalog.loader import Catalog
    from sites.schema.common import Sourced
    from sites.schema.portfolio import PortfolioFile

T = TypeVar("T")

JOULES_PER_LITRE_KELVIN = {"water": 4170, "pg25": 3960}
"""Density times heat capacity of the technology loop's coolant."""
MILLILITRES_PER_LITRE_MINUTE = 60_000
"""mL/min in one L/s."""
ELECTRICAL = ("it_w", "liquid_w", "air_w", "support_w")


@dataclass(frozen=True)
class RackDraws:
    """One configuration: identity, and draws by kind for one rack."""

    name: str
    system: str
    profile: str
    generation: str
    n_gpus: int
    port_kind: str
    draw: dict[str, int]
    """`it_w`, `liquid_w`, `air_w`, `support_w`, `swing_w` (missing where it is unknown), `kg`, `ports:KIND`, `gbps`,
    `position`, `rack`, `rack:SYSTEM`, `delivered:SYSTEM`, `landed`, `gpu` and `cent`; the flow depends on the loop, see
    `flow_kind`."""
    rise_k: Fraction
    """Design temperature rise of the rack."""


class UnknownFigureError(ValueError):
    """A figure that decides has no value in the catalogue."""


def known(value: Sourced[T] | None, where: str) -> T:
    """The value of a catalogue figure. Raises UnknownFigureError when it has none."""
    if value is None or value.value is None:
        msg = f"{where} has no value in the catalogue"
        raise UnknownFigureError(msg)
    return value.value


def draws_of(name: str, catalog: Catalog, price_cents: int) -> RackDraws:
    """Draws of a configuration by name.

    Parameters: name, `system` or `system/profile`; price_cents, what a rack costs. Raises UnknownFigureError for null
    figures.
    """
    configuration = catalog.configuration(name)
    system, profile = configuration.system, configuration.profile
    it_w = ceil(known(profile.sustained_max, f"{name} sustained_max"))
    liquid = it_w * Fraction(known(profile.liquid_share, f"{name} liquid_share"))
    n_ports = known(system.ports, f"{name} ports")
    gigabits_per_port = Fraction(known(system.port_speed, f"{name} port_speed")) / 10**9
    draw = {
        "it_w": it_w,
        "liquid_w": ceil(liquid),
        "air_w": it_w - (liquid.numerator // liquid.denominator),
        "support_w": ceil(known(profile.support_power, f"{name} support_power")),
        "kg": ceil(known(system.weight, f"{name} weight")),
        f"ports:{system.port_kind}": n_ports,
        "gbps": ceil(n_ports * gigabits_per_port),
        "position": known(system.positions, f"{name} positions"),
        "rack": 1,
        f"rack:{system.name}": 1,
        f"delivered:{system.name}": 1,
        "landed": 1,
        "gpu": known(system.gpu_packages, f"{name} gpu_packages"),
        "cent": price_cents,
    }
    if profile.idle.value is not None and system.swing_smoothing.value is not None:
        draw["swing_w"] = ceil(it_w * (1 - Fraction(profile.idle.value)) * (1 - Fraction(system.swing_smoothing.value)))
    return RackDraws(
        name, system.name, profile.name, system.generation, draw["gpu"], system.port_kind, draw,
        Fraction(known(system.rise, f"{name} rise")),
    )  # fmt: skip


def flow_kind(coolant: str, rise_k: Fraction) -> str:
    """The kind of draw of racks in a loop of this coolant and rise, mL/min."""
    return f"flow:{coolant}:{rise_k}"


def with_flows(draws: RackDraws, loops: Iterable[tuple[str, Fraction]]) -> RackDraws:
    """Add the flow in every kind of loop: heat / (density · heat capacity · the smaller of both rises), rounded up."""
    flows = {
        flow_kind(coolant, rise_k): ceil(
            Fraction(draws.draw["liquid_w"] * MILLILITRES_PER_LITRE_MINUTE)
            / (JOULES_PER_LITRE_KELVIN[coolant] * min(rise_k, draws.rise_k))
        )
        for coolant, rise_k in loops
    }
    return replace(draws, draw={**draws.draw, **flows})


def rack_price_cents(system_name: str, portfolio: PortfolioFile, catalog: Catalog) -> int:
    """Price of a rack in whole cents, rounded up: the portfolio's, or the catalogue's."""
    for money in portfolio.money.systems:
        if money.system == system_name and money.rack_price is not None:
            return ceil(money.rack_price * 100)
    return ceil(known(catalog.rack_systems[system_name].price, f"{system_name} price") * 100)

"""Curves of the hourly year at their published points: transformers, UPS, chillers, coolers, fans and pumps."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.loops.cooling_hour import (
    air_flow,
    approach_k,
    cooler_share,
    fan_share,
    pump_share,
    second_law_cop,
)
from kernels.loops.hourly import loss_w
from sites.catalog.loader import load_catalog

CURVES = {
    "main-transformer-100mva": (99.74, 99.75, 99.70, 99.64),
    "unit-substation-3mva": (99.51, 99.53, 99.44, 99.32),
    "unit-substation-2-5mva-dry": (99.2, 99.3, 99.2, 99.1),
    "ups-2-5mw": (96.2, 96.9, 96.9, 96.7),
    "ups-2-8mw-eco": (98.3, 98.9, 99.0, 99.0),
}
"""Efficiency at 25, 50, 75 and 100 % of load, per cent; 99.53 at half load is the DOE-2016 minimum."""


@pytest.mark.parametrize("name", CURVES)
def test_losses_reproduce_published_efficiencies(name: str) -> None:
    losses = load_catalog().power[name].losses
    fractions = [float(figure.value) for figure in (losses.no_load, losses.linear, losses.quadratic)]  # type: ignore[arg-type]
    for load, percent in zip((0.25, 0.5, 0.75, 1.0), CURVES[name], strict=True):
        lost = loss_w(load * 1e6, 1e6, *fractions) / 1e6
        assert 100 * load / (load + lost) == pytest.approx(percent, abs=0.06)


CHILLER = {29.0: 3.30, 35.0: 2.87, 40.0: 2.55, 43.0: 2.38, 46.0: 2.23}
"""COP of Carrier 30XA500 at 6.7 degC leaving water by outdoor air, from the EnergyPlus data sets."""


def test_the_chiller_reproduces_its_published_points() -> None:
    unit = load_catalog().cooling["chiller-air-1-6mw"]
    efficiency, lift = float(unit.second_law_efficiency.value), float(unit.condenser_lift.value)  # type: ignore
    evaporation = 6.67 - float(unit.evaporator_approach.value)  # type: ignore
    for entering, published in CHILLER.items():
        assert second_law_cop(efficiency, evaporation, entering + lift) == pytest.approx(published, rel=0.045)


def test_the_least_lift_bounds_the_cop() -> None:
    assert second_law_cop(0.45, 21.5, -20.0) == second_law_cop(0.45, 21.5, 36.5) == pytest.approx(0.45 * 294.65 / 15)
    assert second_law_cop(0.45, 21.5, 36.6) < second_law_cop(0.45, 21.5, 36.5)


@pytest.mark.parametrize(("supply", "approach", "limit"), [(41.0, 10.0, 31.0), (41.0, 6.0, 35.0), (26.0, 10.0, 16.0)])
def test_full_free_cooling_ends_where_published(supply: float, approach: float, limit: float) -> None:
    """Water of 41 degC: all dry up to 31 degC with a 10 K cooler, 35 degC with a 5-6 K one; of 26 degC up to 16."""
    assert cooler_share(approach, 1.0, supply, 10.0, limit) == 1.0
    assert cooler_share(approach, 1.0, supply, 10.0, limit + 0.5) == pytest.approx(0.95)


def test_a_dry_cooler_at_its_rating_has_its_approach() -> None:
    assert approach_k(10.0, 1.0) == 10.0
    assert approach_k(10.0, 0.5) == pytest.approx(6.156, abs=0.001)
    assert approach_k(10.0, 2.0) == 20.0


def test_dry_coolers_beyond_their_rating_are_continuous_and_balance() -> None:
    """Twice the rated heat: continuous in the weather; water leaves at air plus an approach linear in heat."""
    entering = np.linspace(-10, 55, 651)
    shares = np.array([cooler_share(6.0, 2.0, 41.0, 12.0, float(one)) for one in entering])
    assert np.abs(np.diff(shares)).max() < 0.01
    assert (np.diff(shares) <= 0).all()
    inside = (shares > 0.5) & (shares < 1)
    assert inside.any()
    np.testing.assert_allclose(53.0 - shares[inside] * 12.0, entering[inside] + 6.0 * shares[inside] * 2.0)
    assert cooler_share(0.0, 2.0, 39.5, 12.0, 20.0) == 0.5


def test_fans_and_pumps_follow_their_laws() -> None:
    assert (fan_share(1.0), fan_share(0.5), fan_share(0.1)) == (1.0, 0.125, 0.05)
    assert (pump_share(1.0), pump_share(0.5)) == (1.0, pytest.approx(0.5 * (0.3 + 0.7 * 0.25)))
    assert pump_share(0.0) == 0.05
    assert air_flow(10.0, 10.0, 5.0, 1.0) == air_flow(10.0, -4.0, 5.0, 1.0) == 1.0
    assert air_flow(10.0, 25.0, 5.0, 1.0) == 0.5
    assert air_flow(0.0, 25.0, 5.0, 0.6) == 0.6

"""Coolers that evaporate, coolers in part, and chillers' curves over the hours: by hand, and the backends alike."""

from __future__ import annotations

import numpy as np
import pytest
from year_cases import AIR, air

from kernels.hourly import (
    ADIABATIC,
    COMPRESSORS_WH,
    COOLER_FANS_WH,
    COOLER_HEAT_WH,
    EVAPORATED_L,
    HEAT_WH,
    LITRES_PER_WH,
    MAKEUP_L,
    OVER_ELEMENT,
    TOLERANCE,
    WET,
    WETTED,
)
from kernels.loops.cooling_hour import compressor_w, cooler_hour, fewer_pay
from kernels.samples.years import DESIGN_CURVES, hand_model
from planner.year.plants import at_leaving
from planner.year.scenarios import Scenario, scenarios
from planner.year.simulate import simulate
from sites.catalog.loader import load_catalog

BASE = (Scenario(0.0, 1.0),)
PADS = {"cooler_kind": ADIABATIC, "saturation_efficiency": 0.7, "makeup_ratio": 1.25}
SPRAYED = {"cooler_kind": WET, "makeup_ratio": 1.25, "cooler_approach_k": 6.5}


def test_evaporation_is_as_published() -> None:
    """1.48 L for each kWh rejected wet; 1.85 L of makeup at five cycles."""
    litres_per_kwh = LITRES_PER_WH * 1000
    assert litres_per_kwh == pytest.approx(1.48, abs=0.005)
    assert litres_per_kwh * 5 / 4 == pytest.approx(1.85, abs=0.005)


def test_a_closed_wet_cooler_by_hand() -> None:
    """Wet bulb 25 of 40 degC air: the approach of 6.5·0.8^0.7 = 5.56 K ends below 40, so all heat leaves wet."""
    result = simulate(hand_model(**SPRAYED), air([40.0], 15.0), BASE, "reference")
    energy, litres = result.energy_wh[0, :, 0], result.water_l[0, :, 0]
    assert energy[COOLER_HEAT_WH] == energy[HEAT_WH] == 800e3
    assert litres[EVAPORATED_L] == pytest.approx(800 * 1.4815, rel=1e-4)
    assert litres[MAKEUP_L] == pytest.approx(800 * 1.4815 * 1.25, rel=1e-4)
    approach = 6.5 * 0.8**0.7
    assert energy[COOLER_FANS_WH] == pytest.approx(20e3 * ((approach + 5) / (15 + 5)) ** 3)
    assert result.hours[0, WETTED, 0] == 1


def test_a_closed_wet_cooler_feels_recirculation() -> None:
    model = hand_model(**SPRAYED)._replace(recirculation_k=np.array([2.0]))
    warmer = simulate(hand_model(**SPRAYED), air([42.0], 15.0), BASE, "reference")
    np.testing.assert_array_equal(simulate(model, air([40.0], 15.0), BASE, "reference").energy_wh, warmer.energy_wh)


def test_pads_stay_dry_while_air_alone_does() -> None:
    dry = simulate(hand_model(), air([20.0]), BASE, "reference")
    padded = simulate(hand_model(**PADS), air([20.0]), BASE, "reference")
    np.testing.assert_array_equal(padded.energy_wh, dry.energy_wh)
    assert padded.water_l.sum() == padded.hours[0, WETTED, 0] == 0


def test_wetted_pads_by_hand() -> None:
    """38 degC, wet bulb 18: 38 − 0.7 · 20 = 24 enters, so coolers carry all; 1 MW / (0.8 · 15 K) of air cools 14 K."""
    result = simulate(hand_model(**PADS), air([38.0], 20.0), BASE, "reference")
    energy = result.energy_wh[0, :, 0]
    assert energy[COMPRESSORS_WH] == 0
    flow = (10 * 0.8**0.7 + 5) / (16 + 5)
    assert energy[COOLER_FANS_WH] == pytest.approx(20e3 * flow**3)
    latent_wh = flow * 1e6 / (0.8 * 15) * 14
    assert result.water_l[0, EVAPORATED_L, 0] == pytest.approx(latent_wh * 3600 / 2.43e6)
    assert result.hours[0, WETTED, 0] == 1


def test_wet_outside_air_moves_as_much_air_as_the_heat_asks() -> None:
    """Without a coil the air itself rises by 10 K: 800 kW / 10 K of it are cooled by 14 K."""
    result = simulate(hand_model(**PADS, cooler_approach_k=0.0), air([45.0], 20.0), BASE, "reference")
    assert result.energy_wh[0, COOLER_HEAT_WH, 0] == 800e3
    assert result.water_l[0, EVAPORATED_L, 0] == pytest.approx(800e3 / 10 * 14 * 3600 / 2.43e6)


def test_fewer_coolers_run_where_all_would_draw_more() -> None:
    assert fewer_pay(0.0, 1.0, 0.0, 0.0, 0.0), "nothing is saved"
    assert not fewer_pay(10.0, 100.0, 0.0, 0.0, 50.0), "no chillers take the rest"
    assert not fewer_pay(10.0, 100.0, 5.0, 40.0, 50.0), "chillers cannot take the rest"
    assert fewer_pay(10.0, 2.1, 5.0, 60.0, 50.0), "2 W of compressor for 2.1 W of fan"
    assert not fewer_pay(10.0, 1.9, 5.0, 60.0, 50.0)


def test_fans_never_exceed_what_the_limits_book() -> None:
    """At most 20 kW for each MW removed wherever the rated approach serves, as the linear model has it."""
    for entering in np.linspace(0, 45, 91):
        for heat_w in np.linspace(5e4, 1e6, 20):
            plant = (heat_w, float(entering), 20.0, 40.0, 10.0, 0, 1e6, 5.0, 20e3, 0.0, 8.0, 1e6)
            cooled_w, fan_w, _ = cooler_hour(*plant)
            booked_share = max(0.0, min(1.0, (50.0 - max(40.0, entering + 5.0)) / 10.0))
            linear_w = 0.02 * heat_w * booked_share + heat_w * (1 - booked_share) / 8.0
            assert fan_w + (heat_w - cooled_w) / 8.0 <= linear_w * (1 + 1e-12)


def test_chillers_are_staged() -> None:
    """Two units of 100 kW, COP 4, draw 0.2 + 0.5·x + 0.3·x²: x = 0.75 each for 150 kW, a lone one cycles at half."""
    parts = (0.2, 0.5, 0.3)
    assert compressor_w(150e3, 100e3, 4.0, *parts) == pytest.approx(150e3 / 4 * (0.2 / 0.75 + 0.5 + 0.3 * 0.75))
    assert compressor_w(100e3, 100e3, 4.0, *parts) == pytest.approx(25e3)
    assert compressor_w(10e3, 100e3, 4.0, *parts) == pytest.approx(10e3 / 4 * 1.05)
    assert compressor_w(300e3, 100e3, 4.0, *parts) == pytest.approx(75e3)


def test_curves_hold_in_their_range_and_hours_beyond_are_counted() -> None:
    """Reference COP 2.9, power 0.3 + 0.02·T, capacity 1.5 − 0.014·T in 29.44 to 46 degC."""
    model = hand_model(**DESIGN_CURVES, cooler_rated_w=0.0)
    result = simulate(model, air([20.0, 35.0, 47.0]), BASE, "reference")
    by_hour = [simulate(model, air([t]), BASE, "reference").energy_wh[0, COMPRESSORS_WH, 0] for t in (20.0, 35.0, 47.0)]
    assert by_hour[0] == pytest.approx(800e3 * 15 / (0.5 * 310.15))
    assert by_hour[1] == pytest.approx(800e3 / (2.9 / (0.3 + 0.02 * 35)))
    assert by_hour[2] == pytest.approx(800e3 * 23 / (0.5 * 310.15))
    assert result.plant_beyond_hours[0, 0] == 2
    # Capacity 1.5 − 0.014 · 46 = 0.856 MW carries 800 kW; the derate of 12 K · 2 % at 47 degC leaves 760 kW.
    assert simulate(model, air([46.0]), BASE, "reference").plant_over_hours[0, 0] == 0
    assert result.plant_over_hours[0, 0] == 1


def test_a_published_curve_at_one_set_point_is_the_curve() -> None:
    curve = load_catalog().cooling["chiller-air-1-3mw"].curves
    assert curve is not None
    constant, linear, quadratic = at_leaving(curve.capacity, curve.leaving_degc[0])
    a, b, c, d, e, f = (float(one) for one in curve.capacity)
    x, y = float(curve.leaving_degc[0]), 40.0
    assert constant + linear * y + quadratic * y * y == pytest.approx(
        a + b * x + c * x * x + d * y + e * y * y + f * x * y
    )


def test_hours_over_an_elements_rating_are_counted_apart() -> None:
    """The transformer of 920 kW at 45 degC; a plant that cannot take its heat is no element."""
    assert simulate(hand_model(), air([45.0]), BASE, "reference").hours[0, OVER_ELEMENT, 0] == 1
    weak = simulate(hand_model(chiller_rated_w=1.0), air([35.0]), BASE, "reference")
    assert weak.hours[0, OVER_ELEMENT, 0] == 0
    assert weak.plant_over_hours[0, 0] == 1


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize(
    "changes",
    [PADS, PADS | {"cooler_approach_k": 0.0}, PADS | {"cooler_rated_w": 3e5}, SPRAYED, DESIGN_CURVES,
     DESIGN_CURVES | {"cooler_rated_w": 0.0}, PADS | {"chiller_rated_w": 0.0}],
    ids=str,
)  # fmt: skip
def test_backends_agree(backend: str, changes: dict[str, float]) -> None:
    model, drawn = hand_model(**changes), scenarios(5, seed=3, load_spread=0.5)
    ours, theirs = simulate(model, AIR, drawn, backend), simulate(model, AIR, drawn, "reference")
    for name, one, other in zip(ours._fields, ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=TOLERANCE, atol=1e-6, err_msg=name)

"""The hourly year on the simulated device is that of the plain loops, however it is cut into tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.backends import home, kernel
from kernels.cuda import hourly, launch
from kernels.hourly import ADIABATIC, DRY, ELEMENT, MACHINERY, ROWS, SUPPORT, TOLERANCE, WET, YearInput
from kernels.samples.calls import Call, ran
from kernels.samples.years import DESIGN_CURVES, empty_year, hand_model, make_year, side_by_side

if TYPE_CHECKING:
    from kernels.hourly import YearModel, YearResult

THERE = home("cuda")
grids = st.sampled_from([(1, 1), (4, 3), (7, 2)])
rooms = st.sampled_from([1, 9000, 40_000, 1 << 28])
"""One hour of one scenario at a time, some hours, some more, all at once."""


def set_sizes(grid: tuple[int, int], room_bytes: int) -> None:
    launch.limits.n_threads, launch.limits.n_blocks = grid
    hourly.budget.room_bytes = room_bytes


@pytest.fixture(autouse=True)
def own_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hourly.budget, "room_bytes", hourly.budget.room_bytes)


def year_of(model: YearModel, weather: YearInput, backend: str) -> YearResult:
    result: YearResult = ran(Call("hourly_year", (model, weather, empty_year(model, weather))), backend)[2]
    return result


def assert_same(ours: YearResult, theirs: YearResult) -> None:
    for name, one, other in zip(ours._fields, ours, theirs, strict=True):
        if one.dtype == np.int64:
            np.testing.assert_array_equal(one, other, err_msg=name)
        else:
            np.testing.assert_allclose(one, other, rtol=TOLERANCE, atol=1e-6, err_msg=name)


def assert_loops(model: YearModel, weather: YearInput) -> YearResult:
    """The device's year is that of the loops."""
    ours = year_of(model, weather, "cuda")
    assert_same(ours, year_of(model, weather, "reference"))
    return ours


def odd_plant(random: np.random.Generator) -> dict[str, float]:
    """A plant of any kind, from far too small to far too large."""
    plant: dict[str, float] = {
        "heat_w": random.uniform(2e5, 1.2e6), "fixed_heat_w": random.uniform(0, 2e5), "rise_k": random.uniform(6, 14),
        "supply_degc": random.uniform(18, 42), "cooler_kind": int(random.choice([DRY, ADIABATIC, WET])),
        "cooler_rated_w": random.choice([0.0, 3e5, 8e5, 1.2e6]), "cooler_approach_k": random.choice([0.0, 4.0, 11.0]),
        "saturation_efficiency": random.uniform(0.6, 0.9), "makeup_ratio": random.uniform(1.1, 2.0),
        "chiller_rated_w": random.choice([0.0, 2e5, 9e5]), "n_chillers": random.integers(1, 5),
        "chiller_rated_degc": random.uniform(20, 38), "evaporation_degc": random.uniform(10, 38),
        "design_heat_w": random.choice([0.0, 9e5, 2e6]), "cooler_fan_w": random.uniform(1e3, 9e4),
        "part_constant": random.uniform(0, 0.3), "part_quadratic": random.uniform(0, 0.3),
    }  # fmt: skip
    if random.integers(0, 2):
        plant |= {**DESIGN_CURVES, "capacity_quadratic": 1e-4, "power_quadratic": 2e-4, "curves_to_degc": 40.0}
    return plant


def odd_model(seed: int, n_sites: int) -> YearModel:
    """Sites whose classes are any number of nodes; the first site has two plants, and some elements are too small."""
    random = np.random.default_rng(seed)
    model = side_by_side([hand_model(**odd_plant(random)) for _ in range(n_sites + 1)])
    n_classes = model.kind.size
    element = model.kind == ELEMENT
    return model._replace(
        class_ptr=np.delete(model.class_ptr, 1),
        members=random.integers(1, 5, n_classes).astype(float),
        fixed_w=random.uniform(0, 2e4, n_classes),
        draw_w=model.draw_w * random.uniform(0.5, 1.2, n_classes),
        flow_ratio=random.uniform(0, 1, n_classes),
        loss_linear=np.where(element, random.uniform(0, 0.03, n_classes), 0.0),
        loss_no_load=np.where(element, random.uniform(0, 0.01, n_classes), 0.0),
        rating_w=np.where(element, random.uniform(7e5, 1.3e6, n_classes), np.inf),
        most_load_factor=random.uniform(0.8, 1.3, n_sites),
        recirculation_k=random.uniform(0.0, 3.0, n_sites),
    )


def weather(seed: int, n_sites: int, n_hours: int, n_scenarios: int) -> YearInput:
    random = np.random.default_rng(seed)
    dry = random.uniform(-25.0, 52.0, (n_sites, n_hours))
    wet = dry - random.uniform(0.0, 18.0, dry.shape)
    return YearInput(dry, wet, random.uniform(-3.0, 3.0, n_scenarios), random.uniform(0.2, 1.5, n_scenarios))


@given(
    seed=st.integers(0, 2**32 - 1), n_sites=st.integers(1, 3), n_hours=st.integers(1, 6),
    n_scenarios=st.sampled_from([1, 2, 5]), grid=grids, room_bytes=rooms,
)  # fmt: skip
def test_a_year_is_the_loops(
    seed: int, n_sites: int, n_hours: int, n_scenarios: int, grid: tuple[int, int], room_bytes: int
) -> None:
    set_sizes(grid, room_bytes)
    assert_loops(odd_model(seed, n_sites), weather(seed, n_sites, n_hours, n_scenarios))


@pytest.mark.parametrize("seed", range(4))
def test_every_kind_of_plant_and_hour(seed: int) -> None:
    """Many hours at few threads; what they show is there: water, compressors, hours of every kind."""
    set_sizes((5, 2), 30_000)
    year = assert_loops(odd_model(seed, 2), weather(seed, 2, 24, 2))
    assert (year.hours.sum(axis=(0, 2)) > 0).sum() >= 4
    assert year.energy_wh.any(axis=(0, 2)).sum() >= 10


def test_samples_are_the_loops_and_repeat_to_the_bit() -> None:
    set_sizes((3, 2), 1 << 28)
    model, sample = make_year(4, 3)
    ours = assert_loops(model, sample)
    for one, other in zip(ours, year_of(model, sample, "cuda"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("room_bytes", [1, 5000, 1 << 28])
def test_the_peak_is_the_first_of_equal_hours(room_bytes: int) -> None:
    """Hours 2, 3 and 5 are equally hot at both sites, hour 0 is warm."""
    set_sizes((2, 2), room_bytes)
    model = side_by_side([hand_model(), hand_model()])
    dry = np.array([[30.0, 10.0, 40.0, 40.0, 10.0, 40.0]] * 2)
    year = assert_loops(model, YearInput(dry, dry - 5.0, np.zeros(2), np.array([1.0, 0.9])))
    assert year.peak_hour.tolist() == [[2, 2]] * 3


def test_a_site_without_machinery_has_steady_meters() -> None:
    model = hand_model()
    kind = np.where(model.kind == MACHINERY, SUPPORT, model.kind)
    year = assert_loops(model._replace(kind=kind), weather(1, 1, 3, 2))
    assert (np.ptp(year.meter_w) == 0.0).all()


def test_a_load_at_its_rating_is_not_over() -> None:
    """Two rows of 400 kW and nothing else: 800 kW at the transformer, whose rating has the tolerance's room."""
    steady = hand_model()._replace(kind=np.array([ROWS, SUPPORT, SUPPORT, SUPPORT, SUPPORT, ELEMENT, ELEMENT]))
    quiet = steady._replace(draw_w=np.array([4e5, 0, 0, 0, 0, 0, 0.0]), fixed_w=np.zeros(7))
    still = weather(1, 1, 2, 1)._replace(load_factor=np.array([1.0]))
    for rating_w, n_over in ((8e5, 0), (8e5 * (1 - 0.5 * TOLERANCE), 0), (8e5 * (1 - 3 * TOLERANCE), 2)):
        rating = np.where(np.arange(7) == 5, rating_w, np.inf)
        assert assert_loops(quiet._replace(rating_w=rating), still).class_over_hours[5, 0] == n_over


@pytest.mark.parametrize(
    ("field", "place", "value"),
    [("plant_idx", 4, -1), ("plant_idx", 4, 1), ("entry_class_idx", 0, -1), ("entry_class_idx", 5, 6)],
)
def test_an_index_that_points_outside_is_a_fault(field: str, place: int, value: int) -> None:
    model = hand_model()
    column = getattr(model, field).copy()
    column[place] = value
    there: Any = THERE.put((model._replace(**{field: column}), given_year := weather(1, 1, 2, 1)))
    result = THERE.put(empty_year(model, given_year))
    kernel("hourly_year", "cuda")(*there, result)
    with pytest.raises(IndexError, match="hourly_year"):
        THERE.get(result)

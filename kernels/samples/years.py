"""Hours of small sites: two classes of rows behind a transformer, with a plant of every kind of cooler and chiller."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from kernels.hourly import (
    ADIABATIC,
    DRY,
    ELEMENT,
    FANS,
    MACHINERY,
    N_ENERGIES,
    N_HOURS_KINDS,
    N_WATERS,
    PUMPS,
    ROWS,
    SUPPORT,
    WET,
    YearInput,
    YearModel,
    YearResult,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DESIGN_CURVES = {
    "has_curves": 1.0, "curves_from_degc": 29.44, "curves_to_degc": 46.0, "reference_cop": 2.9,
    "capacity_constant": 1.5, "capacity_linear": -0.014, "power_constant": 0.3, "power_linear": 0.02,
}  # fmt: skip
"""Curves of chillers that hold on warm days."""

_CLASSES = ("rows", "support", "pumps", "fans", "machinery", "transformer", "service")
_PLANT = {
    "heat_w": 700e3, "fixed_heat_w": 100e3, "design_heat_w": 1e6, "design_pump_w": 10e3, "supply_degc": 40.0,
    "rise_k": 10.0, "cooler_kind": DRY, "cooler_rated_w": 1e6, "cooler_approach_k": 10.0, "cooler_fan_w": 20e3,
    "saturation_efficiency": 0.0, "makeup_ratio": 0.0, "chiller_rated_w": 1e6, "n_chillers": 2.0,
    "chiller_rated_degc": 35.0, "chiller_derate_per_k": 0.02, "efficiency": 0.5, "evaporation_degc": 37.0,
    "condenser_lift_k": 13.0, "has_curves": 0.0, "curves_from_degc": inf, "curves_to_degc": -inf, "reference_cop": 1.0,
    "capacity_constant": 1.0, "capacity_linear": 0.0, "capacity_quadratic": 0.0, "power_constant": 1.0,
    "power_linear": 0.0, "power_quadratic": 0.0, "part_constant": 0.0, "part_linear": 1.0, "part_quadratic": 0.0,
}  # fmt: skip
_KINDS_OF_PLANT: tuple[dict[str, float], ...] = (
    {},
    {"cooler_kind": ADIABATIC, "saturation_efficiency": 0.8, "makeup_ratio": 1.3},
    {"cooler_kind": WET, "cooler_approach_k": 6.0, "makeup_ratio": 1.5},
    {**DESIGN_CURVES, "cooler_rated_w": 4e5},
    {"chiller_rated_w": 0.0},
)


def hand_model(**changes: float) -> YearModel:
    """Two rows of 400 kW behind one transformer, with 50 kW of support gear and one plant.

    Parameters: changes, fields of the plant.
    """

    def column(**values: float) -> NDArray[np.float64]:
        return np.array([values.get(name, 0.0) for name in _CLASSES])

    plant = _PLANT | changes
    return YearModel(
        class_ptr=np.array([0, len(_CLASSES)]),
        kind=np.array([ROWS, SUPPORT, PUMPS, FANS, MACHINERY, ELEMENT, ELEMENT]),
        members=np.array([2.0, 1, 1, 1, 1, 1, 1]),
        entry_ptr=np.array([0, 0, 0, 0, 0, 0, 5, 6]),
        entry_class_idx=np.array([0, 1, 2, 3, 4, 5]),
        entry_share=np.array([2.0, 1, 1, 1, 1, 1]),
        plate_w=column(transformer=1e6),
        loss_no_load=column(transformer=0.001),
        loss_linear=column(),
        loss_quadratic=column(transformer=0.01),
        rating_w=np.array([inf] * 5 + [920e3, 1e6]),
        draw_w=column(rows=400e3, support=50e3, pumps=8e3, fans=4e3),
        fixed_w=column(machinery=1e3),
        flow_ratio=column(pumps=1.0, fans=0.4),
        flow_base=column(fans=0.1),
        plant_idx=np.array([-1, -1, -1, -1, 0, -1, -1]),
        most_load_factor=np.array([1.25]),
        recirculation_k=np.array([0.0]),
        **{name: np.array([value]) for name, value in plant.items()},
    )


def side_by_side(sites: Sequence[YearModel]) -> YearModel:
    """Several sites in one model."""
    parts = {name: [getattr(site, name) for site in sites] for name in YearModel._fields}
    n_classes = [site.kind.size for site in sites]
    plants = np.cumsum([0, *(site.heat_w.size for site in sites)])
    whole = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    whole["class_ptr"] = np.cumsum([0, *n_classes])
    whole["entry_ptr"] = np.cumsum([0, *(n for site in sites for n in np.diff(site.entry_ptr))])
    firsts = np.repeat(whole["class_ptr"][:-1], [site.entry_class_idx.size for site in sites])
    whole["entry_class_idx"] = whole["entry_class_idx"] + firsts
    own = np.repeat(plants[:-1], n_classes)
    whole["plant_idx"] = np.where(whole["plant_idx"] >= 0, whole["plant_idx"] + own, -1)
    return YearModel(**whole)


def make_year(seed: int, n_scenarios: int, n_sites: int = 5, n_hours: int = 6) -> tuple[YearModel, YearInput]:
    """Sites with every kind of plant, in hours from cold to very hot, and scenarios that shift air and load."""
    random = np.random.default_rng(seed)
    model = side_by_side([hand_model(**_KINDS_OF_PLANT[site % len(_KINDS_OF_PLANT)]) for site in range(n_sites)])
    model = model._replace(recirculation_k=random.uniform(0.0, 2.0, n_sites))
    dry = random.uniform(-20.0, 48.0, (n_sites, n_hours))
    factor = random.uniform(0.3, 1.4, n_scenarios)
    given = YearInput(dry, dry - random.uniform(0.0, 15.0, dry.shape), random.uniform(-3.0, 3.0, n_scenarios), factor)
    return model, given


def empty_year(model: YearModel, given: YearInput) -> YearResult:
    """A result to be written, filled with what no kernel may leave."""
    n_sites, n_hours = given.dry_bulb_degc.shape
    n_classes, n_plants, n_scenarios = model.kind.size, model.heat_w.size, given.load_factor.size
    return YearResult(
        energy_wh=np.full((n_sites, N_ENERGIES, n_scenarios), 7.0),
        water_l=np.full((n_sites, N_WATERS, n_scenarios), 7.0),
        hours=np.full((n_sites, N_HOURS_KINDS, n_scenarios), 7),
        peak_w=np.full((n_sites + 1, n_scenarios), 7.0),
        peak_hour=np.full((n_sites + 1, n_scenarios), 7),
        class_over_hours=np.full((n_classes, n_scenarios), 7),
        plant_over_hours=np.full((n_plants, n_scenarios), 7),
        plant_beyond_hours=np.full((n_plants, n_scenarios), 7),
        meter_w=np.full((n_sites, n_hours), 7.0),
    )

"""The contract of the hourly year: arrays, places of results, and figures that both forms share.

Like nodes of a site's power graph are one class. Classes stand in order from load to source, so that one pass carries
a watt to the meter; the last class of a site is its service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ELEMENT, ROWS, SUPPORT, PUMPS, FANS, MACHINERY = range(6)
"""Kinds of class: an element or the service, and the loads."""

(
    IT_WH,
    SUPPORT_WH,
    PUMPS_WH,
    AIR_FANS_WH,
    COOLER_FANS_WH,
    COMPRESSORS_WH,
    FIXED_WH,
    LOSSES_WH,
    FACILITY_WH,
    HEAT_WH,
    COOLER_HEAT_WH,
    N_ENERGIES,
) = range(12)
"""Energies of a year: racks, support gear, all pumps, air handlers, coolers, compressors, fixed and house loads,
electrical losses, the meter, heat into the plants, and the part of it that coolers remove."""

EVAPORATED_L, MAKEUP_L, N_WATERS = range(3)
"""Litres of a year: evaporated, and supplied to replace that and the bleed."""

NO_COMPRESSOR, TRIM, OVER_RATING, OVER_ELEMENT, WETTED, N_HOURS_KINDS = range(6)
"""Hours in which no compressor runs, in which one does, in which an element or a plant exceeds its rating, in which an
element does, and in which a plant evaporates water."""

DRY, ADIABATIC, WET = range(3)
"""Kinds of cooler: they approach the dry bulb, air behind wetted pads where the dry bulb is too warm, the wet bulb."""

TOLERANCE = 1e-9
"""Relative difference allowed between the two forms; also what a load may exceed its rating by."""

FAN_FLOOR = 0.05
"""Least power of a fan bank as a share of its design power."""
PUMP_FLOOR = 0.05
"""Least power of a pump as a share of its design power."""
STATIC_HEAD_SHARE = 0.3
"""Share of a pump's design head that does not fall with flow."""
APPROACH_EXPONENT = 0.7
"""Approach of a cooler at full fan over its design approach, as a power of its load."""
LEAST_LIFT_K = 15.0
"""Least difference between condensation and evaporation: head pressure is held up in the cold."""
LEAST_UNIT_LOAD = 0.5
"""Chillers are staged so that each that runs carries at least this share of its heat; a lone one cycles there."""
STAGING_ROUNDING = 1e-9
"""Heat that is this little above a whole number of chillers, as a share of one, starts no other."""
AIR_RISE_SHARE = 0.8
"""Rise of a cooler's air over what the mean fluid is warmer than the air that enters."""
LITRES_PER_WH = 3600.0 / 2_430_000.0
"""Water evaporated for each Wh of latent heat, 2,430 kJ/kg."""


class YearModel(NamedTuple):
    """Sites as the kernel sees them; powers in W, of one member of a class unless said otherwise."""

    class_ptr: NDArray[np.int64]
    """[n_sites + 1] offsets of each site's classes, from load to source."""
    kind: NDArray[np.int64]
    """[n_classes]"""
    members: NDArray[np.float64]
    """[n_classes] nodes of the class."""
    entry_ptr: NDArray[np.int64]
    """[n_classes + 1] offsets of what each class feeds."""
    entry_class_idx: NDArray[np.int64]
    """[n_entries] class that is fed."""
    entry_share: NDArray[np.float64]
    """[n_entries] share of one fed node's input that one feeding node carries, summed over its loads."""
    plate_w: NDArray[np.float64]
    """[n_classes] base of the loss fractions; 0 for loads and the service."""
    loss_no_load: NDArray[np.float64]
    loss_linear: NDArray[np.float64]
    loss_quadratic: NDArray[np.float64]
    """[n_classes] fractions of the plate at output over plate to the power 0, 1 and 2."""
    rating_w: NDArray[np.float64]
    """[n_classes] infinite for loads."""
    draw_w: NDArray[np.float64]
    """[n_classes] average draw of rows, draw of support gear, design power of pumps and fans."""
    fixed_w: NDArray[np.float64]
    """[n_classes] constant draw: house load, fixed machinery."""
    flow_ratio: NDArray[np.float64]
    """[n_classes] pumps and fans: average heat that follows the racks' load, over design heat."""
    flow_base: NDArray[np.float64]
    """[n_classes] pumps and fans: heat of support gear over design heat."""
    plant_idx: NDArray[np.int64]
    """[n_classes] plant that machinery drives; -1 otherwise."""
    most_load_factor: NDArray[np.float64]
    """[n_sites] load factor at which the first configuration reaches its sustained maximum."""
    recirculation_k: NDArray[np.float64]
    """[n_sites] warm air drawn back into the coolers."""
    heat_w: NDArray[np.float64]
    """[n_plants] average heat that follows the racks' load."""
    fixed_heat_w: NDArray[np.float64]
    """[n_plants] heat of support gear."""
    design_heat_w: NDArray[np.float64]
    """[n_plants] heat with every rack at its sustained maximum."""
    design_pump_w: NDArray[np.float64]
    """[n_plants]"""
    supply_degc: NDArray[np.float64]
    """[n_plants]"""
    rise_k: NDArray[np.float64]
    """[n_plants]"""
    cooler_kind: NDArray[np.int64]
    """[n_plants] `DRY`, `ADIABATIC` or `WET`; without coolers `DRY`."""
    cooler_rated_w: NDArray[np.float64]
    """[n_plants] heat of all coolers at their approach; 0 without any."""
    cooler_approach_k: NDArray[np.float64]
    """[n_plants] leaving fluid over what it approaches, at rated heat."""
    cooler_fan_w: NDArray[np.float64]
    """[n_plants] all fans at full speed."""
    saturation_efficiency: NDArray[np.float64]
    """[n_plants] of wetted pads; 0 without them."""
    makeup_ratio: NDArray[np.float64]
    """[n_plants] makeup over evaporation; 0 where nothing evaporates or the bleed is not known."""
    chiller_rated_w: NDArray[np.float64]
    """[n_plants] heat of all chillers at their rated temperatures; 0 without any."""
    n_chillers: NDArray[np.float64]
    """[n_plants]"""
    chiller_rated_degc: NDArray[np.float64]
    """[n_plants]"""
    chiller_derate_per_k: NDArray[np.float64]
    """[n_plants]"""
    efficiency: NDArray[np.float64]
    """[n_plants] share of Carnot's COP."""
    evaporation_degc: NDArray[np.float64]
    """[n_plants]"""
    condenser_lift_k: NDArray[np.float64]
    """[n_plants]"""
    has_curves: NDArray[np.float64]
    """[n_plants] 1 where the chillers have published curves."""
    curves_from_degc: NDArray[np.float64]
    curves_to_degc: NDArray[np.float64]
    """[n_plants] air entering the condenser for which the curves hold; from above to where the set-point is outside."""
    reference_cop: NDArray[np.float64]
    """[n_plants]"""
    capacity_constant: NDArray[np.float64]
    capacity_linear: NDArray[np.float64]
    capacity_quadratic: NDArray[np.float64]
    """[n_plants] heat over rated heat as a polynomial of the entering air, degC, at the plant's set-point."""
    power_constant: NDArray[np.float64]
    power_linear: NDArray[np.float64]
    power_quadratic: NDArray[np.float64]
    """[n_plants] reference COP over COP at full load, likewise."""
    part_constant: NDArray[np.float64]
    part_linear: NDArray[np.float64]
    part_quadratic: NDArray[np.float64]
    """[n_plants] draw over draw at full load as a polynomial of the share of heat."""


class YearInput(NamedTuple):
    """Weather and scenarios."""

    dry_bulb_degc: NDArray[np.float64]
    """[n_sites, n_hours]"""
    wet_bulb_degc: NDArray[np.float64]
    """[n_sites, n_hours]"""
    temperature_offset_k: NDArray[np.float64]
    """[n_scenarios] added to both."""
    load_factor: NDArray[np.float64]
    """[n_scenarios] times the average load of the racks."""


class YearResult(NamedTuple):
    """What a year adds up to; all written."""

    energy_wh: NDArray[np.float64]
    """[n_sites, N_ENERGIES, n_scenarios]"""
    water_l: NDArray[np.float64]
    """[n_sites, N_WATERS, n_scenarios]"""
    hours: NDArray[np.int64]
    """[n_sites, N_HOURS_KINDS, n_scenarios]"""
    peak_w: NDArray[np.float64]
    """[n_sites + 1, n_scenarios] highest hour at the meter; last, of all sites together."""
    peak_hour: NDArray[np.int64]
    """[n_sites + 1, n_scenarios] first such hour, from 0."""
    class_over_hours: NDArray[np.int64]
    """[n_classes, n_scenarios] hours in which a node of the class exceeds its rating."""
    plant_over_hours: NDArray[np.int64]
    """[n_plants, n_scenarios] hours in which a plant has more heat than its machines remove at that hour."""
    plant_beyond_hours: NDArray[np.int64]
    """[n_plants, n_scenarios] hours in which chillers with published curves run outside their range."""
    meter_w: NDArray[np.float64]
    """[n_sites, n_hours] the meters under the first scenario."""

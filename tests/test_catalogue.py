"""The bundled catalogue: every figure has unit, range, source and status, and is what its sources give."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sites.catalog.loader import Catalog, load_catalog, parse_catalog
from sites.faults import InputError
from sites.schema.catalog import CatalogFile, ElementKind
from sites.schema.common import Status
from sites.schema.cooling_equipment import CoolingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[1] / "sites" / "catalog" / "data"
DOCUMENT = Path(__file__).parents[1] / "docs" / "catalogue.md"
FAMILIES = ("rack_systems", "power", "cooling", "switches", "wirings", "cabling", "media", "throughput", "economics")
WITHOUT_UNIT = {
    "gpu_packages", "gpu_dies", "cpus", "positions", "ports", "scalable_unit_racks", "lead_time_quarters",
    "lead_time_weeks", "average_training", "average_inference", "idle", "liquid_share", "performance",
    "power_factor", "derating", "continuous_factor", "no_load", "linear", "quadratic", "power_per_heat",
    "second_law_efficiency", "derate_per_kelvin", "power_shelves", "power_shelves_per_feed",
    "swing_smoothing", "support_positions_per_unit", "emergency_rating", "short_time_rating",
    "saturation_efficiency", "cycles_of_concentration", "reference_cop", "rails", "route_factor",
    "life_years", "rate_per_year", "machinery_share", "share_per_year", "annual_pue", "average_share",
}  # fmt: skip
QUANTITY = re.compile(r"^[\d.]+(e\d+)? \S.*$")
PLATES = ("apparent", "real", "current")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The catalogue as everyone else gets it."""
    return load_catalog()


def raw_files() -> dict[str, dict[str, Any]]:
    """Each file of the catalogue as plain YAML."""
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.yaml"))}


def figures(value: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping with a `value` below a YAML value, with its path."""
    if isinstance(value, dict) and "value" in value:
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from figures(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield from figures(item, f"{path}/{item.get('name', index)}")


def citations(value: object) -> Iterator[str]:
    """The text of every `source` below a YAML value."""
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key == "source" and isinstance(item, str))
        for item in value.values():
            yield from citations(item)
    elif isinstance(value, list):
        for item in value:
            yield from citations(item)


def all_figures() -> list[tuple[str, str, dict[str, Any]]]:
    """(file, path, figure) of the whole catalogue."""
    return [
        (name, path, figure)
        for name, content in raw_files().items()
        for family in FAMILIES
        for path, figure in figures(content.get(family, []), family)
    ]


def offenders(found: Iterator[str]) -> list[str]:
    """The first few, so that a failure stays readable."""
    return sorted(set(found))[:10]


def test_the_catalogue_is_not_small() -> None:
    assert len(all_figures()) > 600
    families = {"cooling", "economics", "media", "power", "rack_systems", "switches", "throughput"}
    assert set(raw_files()) == {f"{family}.yaml" for family in families}


def test_every_figure_has_status_and_known_sources() -> None:
    sources = {name: set(content["sources"]) for name, content in raw_files().items()}
    statuses = {str(status) for status in Status}
    assert not offenders(path for _, path, figure in all_figures() if figure["status"] not in statuses)
    assert not offenders(
        f"{path}: {key}"
        for name, path, figure in all_figures()
        for key in figure["source"].split(", ")
        if key not in sources[name]
    )


def test_every_citation_is_used() -> None:
    contents = raw_files()
    used = {
        (name, key) for name, content in contents.items() for text in citations(content) for key in text.split(", ")
    }
    cited = {(name, key) for name, content in contents.items() for key in content["sources"]}
    assert cited - used == set()


def test_every_quantity_carries_a_unit() -> None:
    wrong = (
        f"{path}/{key}: {figure[key]!r}"
        for _, path, figure in all_figures()
        for key in ("value", "low", "high")
        if path.rsplit("/", 1)[-1] not in WITHOUT_UNIT
        and figure.get(key) is not None
        and not (isinstance(figure[key], str) and QUANTITY.match(figure[key]))
    )
    assert not offenders(wrong)


@pytest.mark.parametrize(("family", "key"), [("power", "real"), ("cooling", "heat"), ("switches", "power")])
def test_a_bare_number_is_refused(family: str, key: str) -> None:
    content = next(one for one in raw_files().values() if family in one)
    entry = next(one for one in content[family] if key in one)
    entry[key] = {**entry[key], "value": 5}
    with pytest.raises(ValueError, match="bare number 5"):
        CatalogFile.model_validate(content)


def test_ranges_ascend_and_enclose_the_value(catalog: Catalog) -> None:
    assert catalog.rack_systems
    for content in raw_files().values():
        parsed = CatalogFile.model_validate(content).model_dump()
        for family in FAMILIES:
            for path, figure in figures(list(parsed[family])):
                texts = [str(figure[key]) for key in ("low", "value", "high") if figure[key] is not None]
                ends = [Fraction(text.split()[0]) for text in texts]
                assert ends == sorted(ends), path


def test_recalled_figures_say_so_and_are_assumptions() -> None:
    recalled = [(path, figure) for _, path, figure in all_figures() if "recalled" in figure["source"].split(", ")]
    assert len(recalled) > 50
    notes = ((path, " ".join(figure.get("note", "").split())) for path, figure in recalled)
    assert not offenders(path for path, note in notes if "not verified against a primary" not in note)
    firm = {"published", "measured"}
    assert not offenders(path for path, figure in recalled if figure["status"] in firm)


def test_assumptions_give_their_reasoning() -> None:
    assumptions = [(path, figure) for _, path, figure in all_figures() if figure["status"] == "assumption"]
    assert not offenders(path for path, figure in assumptions if not figure.get("note") and not figure.get("reason"))
    planned = [(path, figure) for _, path, figure in all_figures() if "assumption" in figure["source"].split(", ")]
    assert len(planned) > 50
    assert not offenders(path for path, figure in planned if figure["status"] != "assumption")


def test_nothing_is_left_open() -> None:
    for path in sorted(DATA.glob("*.yaml")):
        assert not re.search(r"\b(TODO|TBD|FIXME|XXX)\b", path.read_text(encoding="utf-8"), re.IGNORECASE), path.name


def test_enabled_systems_are_complete() -> None:
    systems = raw_files()["rack_systems.yaml"]["rack_systems"]
    enabled = [one for one in systems if one["enabled"]]
    missing = {path.rsplit("/", 1)[-1] for path, figure in figures(enabled) if figure["value"] is None}
    assert missing == {"peak_duration", "pressure_drop"}
    assert [one["name"] for one in enabled] == ["gb200-nvl72", "gb300-nvl72", "vr-nvl72"]


def test_later_systems_are_present_and_say_why_they_are_disabled(catalog: Catalog) -> None:
    reasons = {one.name: one.disabled_reason for one in catalog.configurations() if one.disabled_reason}
    assert set(reasons) == {"rubin-ultra-nvl72", "kyber-nvl144", "vr-nvl144-cpx"}
    assert "800 VDC" in reasons["kyber-nvl144"]
    assert "Withdrawn" in reasons["vr-nvl144-cpx"]


def test_the_configurations_on_offer(catalog: Catalog) -> None:
    enabled = {one.name for one in catalog.configurations() if one.disabled_reason is None}
    assert enabled == {"gb200-nvl72", "gb300-nvl72", "gb300-nvl72/capped", "vr-nvl72/max-q", "vr-nvl72/max-p"}


PROFILE_PINS = [
    ("gb200-nvl72", "sustained_max", 132_000, 120_000, 140_000),
    ("gb300-nvl72", "sustained_max", 140_000, 132_000, 155_000),
    ("vr-nvl72/max-q", "sustained_max", 190_000, 180_000, 200_000),
    ("vr-nvl72/max-p", "sustained_max", 230_000, 220_000, 240_000),
    ("gb200-nvl72", "peak", 192_000, None, None),
    ("gb300-nvl72", "peak", 155_000, None, None),
    ("gb200-nvl72", "liquid_share", "0.87", "0.85", "0.90"),
    ("gb300-nvl72", "liquid_share", "0.90", "0.87", "0.94"),
    ("vr-nvl72/max-p", "liquid_share", "0.97", "0.97", "1"),
    ("vr-nvl72/max-q", "average_training", "0.85", "0.75", "0.95"),
    ("gb300-nvl72", "average_inference", "0.70", "0.55", "0.85"),
    ("gb300-nvl72", "idle", "0.30", "0.25", "0.40"),
    ("gb200-nvl72", "performance", 1, None, None),
    ("vr-nvl72/max-q", "performance", "0.90", "0.85", "0.95"),
    ("vr-nvl72/max-p", "performance", 1, None, None),
]


@pytest.mark.parametrize(("configuration", "key", "value", "low", "high"), PROFILE_PINS)
def test_profile_figures(catalog: Catalog, configuration: str, key: str, value: Any, low: Any, high: Any) -> None:
    figure = getattr(catalog.configuration(configuration).profile, key)
    expected = tuple(None if one is None else Fraction(one) for one in (low, value, high))
    assert (figure.low, figure.value, figure.high) == expected


SYSTEM_PINS = [
    ("gb200-nvl72", "memory_per_gpu", 186 * 10**9),
    ("gb300-nvl72", "memory_per_gpu", 279 * 10**9),
    ("vr-nvl72", "memory_per_gpu", 288 * 10**9),
    ("vr-nvl72", "memory_bandwidth_per_gpu", 192 * 10**11),
    ("gb300-nvl72", "nvfp4_dense_per_gpu", 15 * 10**15),
    ("vr-nvl72", "nvfp4_dense_per_gpu", 35 * 10**15),
    ("gb200-nvl72", "energy_storage_per_gpu", 0),
    ("gb300-nvl72", "energy_storage_per_gpu", 65),
    ("gb200-nvl72", "swing_smoothing", 0),
    ("gb300-nvl72", "swing_smoothing", Fraction(15, 100)),
    ("vr-nvl72", "swing_smoothing", Fraction(30, 100)),
    ("gb300-nvl72", "support_positions_per_unit", 4),
    ("vr-nvl72", "support_positions_per_unit", 5),
    ("vr-nvl72", "max_supply", 45),
    ("gb200-nvl72", "rise", 10),
    ("gb200-nvl72", "weight", 1360),
    ("vr-nvl72", "weight", 1815),
    ("vr-nvl72", "footprint", Fraction(72, 100)),
    ("gb300-nvl72", "input_voltage_low", 346),
    ("gb200-nvl72", "ports", 72),
    ("vr-nvl72", "ports", 144),
    ("gb200-nvl72", "price", 3_200_000),
    ("gb300-nvl72", "price", 4_500_000),
    ("vr-nvl72", "price", 7_500_000),
    ("gb200-nvl72", "rental", 4),
    ("gb300-nvl72", "rental", 5),
    ("vr-nvl72", "rental", Fraction(17, 2)),
    ("kyber-nvl144", "gpu_packages", 144),
]


@pytest.mark.parametrize(("system", "key", "value"), SYSTEM_PINS)
def test_system_figures(catalog: Catalog, system: str, key: str, value: int | Fraction) -> None:
    assert getattr(catalog.rack_systems[system], key).value == value


ALL_IN_W = {
    "gb200-nvl72": Fraction(1870),
    "gb300-nvl72": Fraction(2120),
    "vr-nvl72/max-p": Fraction(3300),
}


@pytest.mark.parametrize("name", ALL_IN_W)
def test_rack_and_support_make_the_all_in_figure(catalog: Catalog, name: str) -> None:
    profile = catalog.configuration(name).profile
    assert profile.sustained_max.value is not None
    assert profile.support_power.value is not None
    assert profile.sustained_max.value + profile.support_power.value == 72 * ALL_IN_W[name]


@pytest.mark.parametrize("name", ALL_IN_W)
def test_network_price_is_four_and_a_half_dollars_for_each_all_in_watt(catalog: Catalog, name: str) -> None:
    figure = catalog.configuration(name).system.network_price
    rates = (Fraction(3), Fraction(9, 2), Fraction(15, 2))
    assert (figure.low, figure.value, figure.high) == tuple(72 * ALL_IN_W[name] * rate for rate in rates)


def test_max_q_break_even_of_the_note(catalog: Catalog) -> None:
    low, high = (catalog.configuration(f"vr-nvl72/{name}").profile for name in ("max-q", "max-p"))
    draw = [one.sustained_max.value + one.support_power.value for one in (low, high)]  # type: ignore[operator]
    break_even = draw[0] / draw[1]
    assert round(float(break_even), 3) == 0.832
    note = " ".join((low.performance.note or "").split())
    assert f"{float(break_even):.3f} + {float(1 - break_even):.3f} C/R" in note
    assert low.performance.low is not None
    assert low.performance.low > break_even


def test_every_port_kind_has_a_leaf_of_its_speed(catalog: Catalog) -> None:
    speeds = {(one.port_kind, one.port_speed.value) for one in catalog.switches.values()}
    for system in catalog.rack_systems.values():
        if system.enabled:
            assert (system.port_kind, system.port_speed.value) in speeds, system.name


@pytest.mark.parametrize(("system", "switch", "n_leaves"), [("gb300-nvl72", "q3400", 8), ("vr-nvl72", "q3400", 16)])
def test_leaves_of_a_scalable_unit(catalog: Catalog, system: str, switch: str, n_leaves: int) -> None:
    rack, leaf = catalog.rack_systems[system], catalog.switches[switch]
    ports = rack.ports.value * rack.scalable_unit_racks.value  # type: ignore[operator]
    assert Fraction(ports, leaf.ports.value // 2) == n_leaves  # type: ignore[operator]


def test_every_kind_of_equipment_is_there(catalog: Catalog) -> None:
    assert {one.kind for one in catalog.power.values()} == set(ElementKind)
    assert {one.kind for one in catalog.cooling.values()} == set(CoolingKind)


def test_power_equipment_is_complete(catalog: Catalog) -> None:
    for one in catalog.power.values():
        plate = [getattr(one, key).value for key in PLATES if getattr(one, key) is not None]
        assert len(plate) == 1, one.name
        assert plate[0] > 0, one.name
        factors = (one.power_factor, one.derating, one.continuous_factor)
        assert all(figure.value is not None and figure.value > 0 for figure in factors), one.name
        assert all(figure.value is not None for figure in (one.losses.no_load, one.losses.linear, one.losses.quadratic))
        if one.real is not None:
            assert one.power_factor.value == 1, f"{one.name}: a plate in watts has no power factor left"


def test_smoothing_stays_within_the_claim_and_grows_with_storage(catalog: Catalog) -> None:
    order = [catalog.rack_systems[name] for name in ("gb200-nvl72", "gb300-nvl72", "vr-nvl72")]
    assert [one.energy_storage_per_gpu.value for one in order] == [0, 65, 390]
    values = [one.swing_smoothing.value for one in order]
    assert values == sorted(values)  # type: ignore[type-var]
    assert order[1].swing_smoothing.high == Fraction(30, 100)


@pytest.mark.parametrize(
    ("system", "switch", "n_switches", "rack_units"),
    [("gb200-nvl72", "qm9700", 1040, 1), ("gb300-nvl72", "q3400", 200, 4), ("vr-nvl72", "q3400", 400, 4)],
)
def test_support_places_hold_the_switches_of_the_reference(
    catalog: Catalog, system: str, switch: str, n_switches: int, rack_units: int
) -> None:
    """Sixteen units of the reference architectures, some 36 units of height to a rack, and two racks of other gear."""
    assert switch in catalog.switches
    racks = -(-n_switches * rack_units // (16 * 36))
    assert catalog.rack_systems[system].support_positions_per_unit.value == racks + 2


def test_only_transformers_and_ups_bear_more_for_a_short_time(catalog: Catalog) -> None:
    found = {
        one.kind: (one.emergency_rating.value, one.short_time_rating.value, one.short_time_duration.value)
        for one in catalog.power.values()
        if one.emergency_rating and one.short_time_rating and one.short_time_duration
    }
    assert found == {
        ElementKind.MAIN_TRANSFORMER: (Fraction(1), Fraction(6, 5), Fraction(1800)),
        ElementKind.UPS: (Fraction(1), Fraction(133, 100), Fraction(10)),
    }
    with_any = {one.kind for one in catalog.power.values() if one.emergency_rating or one.short_time_rating}
    assert with_any == set(found)


EIGHTY_PERCENT_KINDS = {ElementKind.FEEDER, ElementKind.SWITCHBOARD, ElementKind.BUSWAY, ElementKind.TRANSFER_SWITCH}


def test_continuous_factor_is_eighty_percent_unless_listed(catalog: Catalog) -> None:
    for one in catalog.power.values():
        if one.kind in EIGHTY_PERCENT_KINDS and one.current is not None:
            listed = one.name.endswith("-100pct")
            assert one.continuous_factor.value == (1 if listed else Fraction(4, 5)), one.name
        if one.kind in {ElementKind.MAIN_TRANSFORMER, ElementKind.UNIT_SUBSTATION, ElementKind.UPS}:
            assert one.continuous_factor.value == 1, one.name


@pytest.mark.parametrize(
    ("name", "load", "efficiency"),
    [
        ("main-transformer-100mva", "0.5", 0.9975),
        ("unit-substation-3mva", "0.5", 0.9953),
        ("ups-2-8mw", "0.5", 0.969),
        ("ups-2-8mw", "1", 0.967),
        ("ups-2-8mw-eco", "1", 0.990),
    ],
)
def test_loss_models_give_the_published_efficiencies(catalog: Catalog, name: str, load: str, efficiency: float) -> None:
    losses, x = catalog.power[name].losses, Fraction(load)
    loss = losses.no_load.value + losses.linear.value * x + losses.quadratic.value * x * x  # type: ignore[operator]
    assert float(x / (x + loss)) == pytest.approx(efficiency, abs=6e-4)


PLATE_PINS_MVA = [
    ("feeder-34-5kv-1200a", 57.4),
    ("feeder-13-8kv-1200a", 22.9),
    ("mech-board-480v-4000a", 2.66),
    ("switchboard-415v-5000a", 2.88),
    ("busway-415v-1600a", 0.92),
    ("busway-415v-2000a", 1.15),
]


@pytest.mark.parametrize(("name", "at_eighty_mva"), PLATE_PINS_MVA)
def test_apparent_power_at_eighty_percent(catalog: Catalog, name: str, at_eighty_mva: float) -> None:
    one = catalog.power[name]
    assert one.current is not None
    assert one.voltage is not None
    plate_va = 3**0.5 * float(one.current.value * one.voltage.value)  # type: ignore[operator]
    assert plate_va * 0.8 / 1e6 == pytest.approx(at_eighty_mva, rel=4e-3)


NEEDS = {
    CoolingKind.CDU: ("heat", "flow", "power_per_heat", "approach"),
    CoolingKind.AIR_HANDLER: ("heat", "power_per_heat"),
    CoolingKind.DRY_COOLER: ("heat", "power_per_heat", "approach"),
    CoolingKind.ADIABATIC_COOLER: (
        "heat", "power_per_heat", "approach", "saturation_efficiency", "cycles_of_concentration",
    ),
    CoolingKind.FLUID_COOLER: ("heat", "power_per_heat", "approach", "cycles_of_concentration"),
    CoolingKind.CHILLER: (
        "heat", "second_law_efficiency", "condenser_lift", "evaporator_approach", "rated_dry_bulb", "derate_per_kelvin",
    ),
}  # fmt: skip


MAY_ALSO_HAVE = {CoolingKind.CDU: {"head"}, CoolingKind.CHILLER: {"curves"}}


def test_cooling_equipment_is_complete_and_nothing_more(catalog: Catalog) -> None:
    for one in catalog.cooling.values():
        given = {key for key in type(one).model_fields if key not in {"name", "title", "kind"} and getattr(one, key)}
        assert given - MAY_ALSO_HAVE.get(one.kind, set()) == set(NEEDS[one.kind]), one.name


def test_cdu_flow_carries_its_heat_at_ten_kelvin(catalog: Catalog) -> None:
    pg25_j_per_litre_kelvin = 3960
    for one in catalog.cooling.values():
        if one.flow is not None and one.flow.value is not None and one.heat.value is not None:
            need_litre_per_min = one.heat.value * 60 / (pg25_j_per_litre_kelvin * 10)
            assert 0 <= one.flow.value - need_litre_per_min < 50, one.name


def test_chiller_matches_the_curve_that_it_was_fitted_to(catalog: Catalog) -> None:
    one = catalog.cooling["chiller-air-1-6mw"]
    cold_k = Fraction("6.67") - one.evaporator_approach.value + Fraction("273.15")  # type: ignore[union-attr,operator]
    hot_k = 35 + one.condenser_lift.value + Fraction("273.15")  # type: ignore[union-attr,operator]
    cop = one.second_law_efficiency.value * cold_k / (hot_k - cold_k)  # type: ignore[union-attr,operator]
    assert float(cop) == pytest.approx(2.87, rel=0.02)


def test_the_document_lists_every_entry_and_no_other(catalog: Catalog) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z0-9-]+(?:/[a-z0-9-]+)?)` \|", text, re.MULTILINE))
    names = {one.name for one in catalog.configurations()}
    equipment = set(catalog.power) | set(catalog.cooling) | set(catalog.switches) | set(catalog.media)
    others = set(catalog.cabling) | set(catalog.wirings) | set(catalog.throughput) | set(catalog.economics)
    assert listed == names | equipment | others


def test_the_document_shows_the_ratings_of_the_data(catalog: Catalog) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `([a-z0-9-]+)` \|.* ([\d.]+) MW \| [\d./]+ \|$", text, re.MULTILINE))
    assert set(shown) == set(catalog.power)
    for one in catalog.power.values():
        factors = one.power_factor.value * one.derating.value * one.continuous_factor.value  # type: ignore[operator]
        if one.current is not None and one.voltage is not None:
            plate = 3**0.5 * float(one.current.value * one.voltage.value)  # type: ignore[operator]
        else:
            plate = float((one.apparent or one.real).value)  # type: ignore[union-attr,arg-type]
        assert plate * float(factors) / 1e6 == pytest.approx(float(shown[one.name]), rel=3e-3), one.name


def test_a_file_that_changes_is_read_again_and_one_that_does_not_is_shared() -> None:
    files = load_catalog().files
    [number] = [place for place, file in enumerate(files) if file.name.endswith("rack_systems.yaml")]
    dearer = files[number].content.replace(b"rental: {value: 4.00", b"rental: {value: 4.50", 1)
    assert dearer != files[number].content
    changed = [replace(file, content=dearer) if place == number else file for place, file in enumerate(files)]
    before, after, again = parse_catalog(files), parse_catalog(changed), parse_catalog(files)
    assert before.rack_systems != after.rack_systems
    assert before.rack_systems == again.rack_systems
    assert all(after.power[name] is entry for name, entry in before.power.items())
    broken = replace(files[number], content=b"format: nothing\n", name="own name")
    for _ in range(2):
        with pytest.raises(InputError, match="own name"):
            parse_catalog([broken])

"""Bad input: every fault at once, with file, line and key, and never anything but an `InputError`."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import yaml
from conftest import TINY
from hypothesis import given
from hypothesis import strategies as st

from sites.catalog.loader import load_catalog
from sites.checks import check
from sites.expansion import expand
from sites.faults import InputError
from sites.loading import Document, load_document, load_model
from sites.portfolio_checks import portfolio_faults
from sites.references import site_faults
from sites.schema.building import Storey
from sites.schema.common import Model
from sites.schema.lineup import Conversion, Flex
from sites.schema.portfolio import PortfolioFile
from sites.schema.service import Battery, Generation, MinimumDemand, NonFirm
from sites.schema.site import SiteFile
from sites.world import load_world
from sites.yaml_nodes import MAX_BYTES, read_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sites.faults import Fault

SITE = (TINY / "site.yaml").read_text()
EVERY_KEY = (TINY / "every-key.yaml").read_text()
PORTFOLIO = (TINY / "portfolio.yaml").read_text()


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def faults_of(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_world(folder / "portfolio.yaml")
    return str(caught.value)


def changed(folder: Path, file: str, old: str, new: str) -> str:
    """Change the tiny files in one place, and return the message that loading them gives."""
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return faults_of(folder)


SITE_FAULTS = [
    ("energy_price: 65 USD/MWh", "energy_price: 65", "energy_price: found the bare number 65; a unit is due"),
    ("energy_price: 65 USD/MWh", "energy_price: 65 USD", "energy_price: unit 'USD' is not a unit of the kind of"),
    ("energy_price: 65 USD/MWh", "energy_price: 65 USD/MHh", "energy_price: unit 'USD/MHh' is not known"),
    ("energy_price: 65 USD/MWh", "energy_price:", "energy_price: found None; write a number and a unit"),
    ("energy_price: 65 USD/MWh", "energy_prize: 65 USD/MWh", "energy_prize: unknown key; did you mean 'energy_price'?"),
    ("energy_price: 65 USD/MWh\n", "", "the key 'energy_price' is missing; add it"),
    ("pitch: 0.6 m", "pitch: 0.6 kg", "lineup_templates.pair.rows.pitch: unit 'kg' is not a unit of the kind of 'm'"),
    ("pitch: 0.6 m", "pitch: -0.6 m", "lineup_templates.pair.rows.pitch: '-0.6 m' is below the smallest"),
    (
        "count: 2\n      positions",
        "count: 2.5\n      positions",
        "rows.count: found the number 2.5; a whole number is due",
    ),
    ("count: 2\n      positions", "count: 0\n      positions", "rows.count: found the number 0; 1 or more is allowed"),
    ("count: 2\n      positions", "count: two\n      positions", "rows.count: found 'two'; a whole number is due"),
    ("title: Tiny hall for tests", "title: 12", "title: found the number 12; text; if it is meant as text, put it in"),
    ("name: tiny\n", "name: Tiny Hall\n", "name: found 'Tiny Hall'; a name is due: lower-case letters"),
    ("kind: 2n", "kind: 3n", "scheme: found '3n'; allowed: none, n, n-plus-1-bus, 2n"),
    ("{kind: 2n}", "{}", "scheme: the key 'kind' is missing; it says which kind this is"),
    ("{kind: 2n}", "{kind: 2n, blocks: 2}", "scheme.blocks: unknown key; known here: kind"),
    ("coolant: pg25", "coolant: beer", "coolant: found 'beer'; allowed: water, pg25"),
    ("status: assumption, source: A site", "status: sure, source: A site", "status: found 'sure'; allowed: measured"),
    ("available: false", "available: perhaps", "buildings[1].available: found 'perhaps'; true or false is due"),
    (
        "start: 2027-Q1",
        "start: 2027-Q5",
        "service.steps[0].start: '2027-Q5' is not a quarter; write for example 2027-Q1",
    ),
    ("start: 2028-Q1", "start: 2026-Q1", "service.steps: found 2027-Q1, 2026-Q1; steps must name at least one quarter"),
    (
        "lineups:\n      - {template: pair, count: 1, hall: h1}",
        "lineups: []\n    spare:\n      - {}",
        "lineups: found an empty",
    ),
    ("latitude: 43.1", "latitude: 431", "location.latitude: found the number 431; 90.0 or less is allowed"),
    ("latitude: 43.1", "latitude: .nan", "location.latitude"),
    ("in_service: [2027-Q1]\n", "\n", "campus power group 'feeder' needs 'in_service'"),
    ("in_service: [2027-Q1]", "in_service: [2027-Q1, 2027-Q2, 2027-Q3]", "found 3 quarters for 2 members"),
    ("pump_power_per_heat: 0.02", "pump_power_per_heat: 2 W", "this has no unit: write a plain number"),
    ("utility: &when {low: 2027-Q1", "utility: &when {low: 2029-Q1", "low, mode and high must ascend"),
    ("availability: firm", "availability: farm", "unknown availability class 'farm'; did you mean 'firm'?"),
    (
        "fed_by: service",
        "fed_by: sevice",
        "power[0].fed_by: unknown power group 'sevice'; did you mean 'service'?",
    ),
    (
        "    fed_by: feeder\n    chain",
        "    fed_by: feder\n    chain",
        "pair.fed_by: unknown power group 'feder'; did you",
    ),
    (
        "equipment: tiny-ups",
        "equipment: tiny-usp",
        "chain[0].equipment: unknown power equipment 'tiny-usp'; did you mean",
    ),
    (
        "kind: ups, equipment: tiny-ups",
        "kind: feeder, equipment: tiny-ups",
        "'tiny-ups' is of kind 'ups', but kind 'feeder' is due",
    ),
    (
        "power_factor: {value: 1,",
        "power_factor: {value: 0.9,",
        "has its plate in watts ('real'), so its 'power_factor'",
    ),
    (
        "busway: busway-415v-2000a",
        "busway: tiny-ups",
        "rows.busway: 'tiny-ups' is of kind 'ups', but kind 'busway' is due here",
    ),
    (
        "plant: yard\n      supply",
        "plant: yards\n      supply",
        "liquid.plant: unknown plant 'yards'; did you mean 'yard'?",
    ),
    (
        "cdu-2-0mw, count: 2",
        "fan-wall-200kw, count: 2",
        "'fan-wall-200kw' is of kind 'air-handler', but kind 'cdu' is due here",
    ),
    ("cdu-2-0mw, count: 2", "cdu-2-0mw, count: 1", "found 1 spares of 1 units; at least one unit must not be spare"),
    ("leaf_switches: [q3400]", "leaf_switches: [q3401]", "leaf_switches[0]: unknown switch 'q3401'; did you mean"),
    ("leaf_switches: [q3400]", "leaf_switches: []", "leaf_switches: no leaf switch is named"),
    ("leaf_switches: [q3400]", "leaf_switches: [q3400, q3400]", "leaf_switches[1]: 'q3400' offers the port kind"),
    ("spine_switch: q3400", "spine_switch: spine", "hall.spine_switch: unknown switch 'spine'"),
    ("support_powered_by: mechanical", "support_powered_by: service", "'service' has no element that could carry"),
    (
        "fixed_power: 10 kW\n        powered_by: mechanical",
        "fixed_power: 10 kW\n        powered_by: ups",
        "unknown power group 'ups'",
    ),
    (
        "    template: hall\n",
        "    template: hull\n",
        "buildings[0].template: unknown building template 'hull'; did you",
    ),
    ("template: pair, count", "template: pear, count", "lineups[0].template: unknown lineup template 'pear'; did you"),
    ("configuration: gb200-nvl72", "configuration: gb20-nvl72", "occupied.configuration: unknown configuration"),
    ("racks_per_row: 2", "racks_per_row: 5", "occupied.racks_per_row: found 5 racks in rows of 4 positions"),
    ("name: b2", "name: b1", "buildings[1].name: building 'b1' stands here a second time"),
    ("name: soft", "name: firm", "availability[1].name: availability class 'firm' stands here a second time"),
]


@pytest.mark.parametrize(("old", "new", "message"), SITE_FAULTS)
def test_faults_of_a_site(tiny: Path, old: str, new: str, message: str) -> None:
    assert message in changed(tiny, "site.yaml", old, new)


EVERY_KEY_FAULTS = [
    # Units: of another kind, bare, out of range.
    (
        "design_wet_bulb: 24 degC",
        "design_wet_bulb: 24 K",
        "climate.design_wet_bulb: unit 'K' is not allowed for a temp",
    ),
    ("design_wet_bulb: 24 degC", "design_wet_bulb: 44 degC", "found a wet bulb of 44 degC over a dry bulb of 35 degC"),
    ("step: 1 MW,", "step: 1 MWh,", "service.swing.step: unit 'MWh' is not a unit of the kind of 'W'"),
    ("ramp: 0.5 MW/min", "ramp: 0.5 MW", "service.swing.ramp: unit 'MW' is not a unit of the kind of 'W/min'"),
    (
        "ramp: 0.5 MW/min",
        "ramp: 0.5",
        "service.swing.ramp: found the bare number 0.5; a unit is due, for example '0.5 W/",
    ),
    ("hours_per_year: 80 h", "hours_per_year: 9000 h", "'9000 h' is above the largest allowed value, 8760 h"),
    ("notice: 10 min", "notice: 10 USD", "non_firm.notice: unit 'USD' is not a unit of the kind of 'min'"),
    ("12 USD/kW/month", "12 USD/MWh", "'12 USD/MWh' is of the same kind, but means something else; write it by the m"),
    ("energy: 100 kWh", "energy: 100 kW", "batteries[0].energy: unit 'kW' is not a unit of the kind of 'J'"),
    (
        "derate_per_kelvin: 0.7 %",
        "derate_per_kelvin: 7",
        "generation[0].derate_per_kelvin: 7.0 is out of range; from 0",
    ),
    ("fuel_cost: 48 USD/MWh", "fuel_cost: 48", "generation[0].fuel_cost: found the bare number 48; a unit is due"),
    (
        "rating: {value: 1.1,",
        "rating: {value: 0.9,",
        "emergency_rating.value: 0.9 is out of range; 1 or more is allowed",
    ),
    ("sheddable: 20 %", "sheddable: 120 %", "flex.sheddable: 1.2 is out of range; from 0 to 1 is allowed"),
    ("within: 8 s", "within: 8", "flex.within: found the bare number 8; a unit is due, for example '8 s'"),
    (
        "manifold_drop: 30 kPa",
        "manifold_drop: 30 K",
        "liquid.manifold_drop: unit 'K' is not a unit of the kind of 'kPa'",
    ),
    ("planes: 4", "planes: 0", "fabric.planes: found the number 0; 1 or more is allowed"),
    ("number: 1, halls", "number: one, halls", "storeys[1].number: found 'one'; a whole number is due"),
    ("quarters: 2\n", "quarters: -2\n", "conversions[0].quarters: found the number -2; 0 or more is allowed"),
    (
        "single_feed_until: 2027-Q4",
        "single_feed_until: 2027",
        "availability[0].single_feed_until: found the number 2027",
    ),
    # What is due, and what goes together.
    (
        "unit_feeds: matched\n    air",
        "unit_feeds: some\n    air",
        "liquid.unit_feeds: found 'some'; allowed: all, matched",
    ),
    ("      support_feeds: matched\n", "", "fabric: the key 'support_feeds' is missing; add it"),
    ("        unit_feeds: matched\n", "", "plants[0]: the key 'unit_feeds' is missing; add it"),
    ("      support_positions: 10\n", "", "fabric: the key 'support_positions' is missing; add it"),
    ("      network: {low", "      netwrok: {low", "dates: the key 'network' is missing (is 'netwrok' meant"),
    ("rule: limit, step: 1 MW, ramp", "rule: limit, ramp", "swing: the rule 'limit' needs 'step'"),
    (
        "rule: limit, step",
        "rule: none, step",
        "swing: found 'step' beside the rule 'none', which asks nothing; remove it",
    ),
    ("  demand_charge_provenance: *assumed\n", "", "found 'demand_charge' without 'demand_charge_provenance'"),
    ("  demand_charge: 12 USD/kW/month\n", "", "found 'demand_charge_provenance' without 'demand_charge'; give both"),
    (
        "  demand_charge: 12 USD/kW/month\n  demand_charge_provenance: *assumed\n",
        "",
        "service: found 'minimum_demand' without 'demand_charge', the price that it is charged at; add 'demand_charge'",
    ),
    ("capacity: 400 kW}]", "capacity: 400}]", "minimum_demand.steps[0].capacity: found the bare number 400"),
    (
        "    short_time_duration: {value: 10 s, source: made for tests, status: assumption}\n",
        "",
        "equipment[0]: found 'short_time_rating' without 'short_time_duration'; give both, or neither",
    ),
    ("rating: {value: 1.5,", "rating: {value: 1.05,", "found 'short_time_rating' 1.05 below 'emergency_rating' 1.1"),
    (
        "cappable: 0.5",
        "cappable: 0.9",
        "flex: found 0.2 sheddable and 0.9 cappable, 1.1 together; at most 1 is allowed",
    ),
    ("planes: 4", "planes: 9", "fabric: found 9 planes over 8 leaf positions; every plane needs a leaf"),
    ("planes_needed: 2", "planes_needed: 5", "found 5 planes needed of 4; 'planes_needed' is at most 4"),
    (
        EVERY_KEY[EVERY_KEY.index("        taps: {count: 4") : EVERY_KEY.index("        cost_per_position")],
        "",
        "the conversion 'wider-whips' changes nothing; give one of 'taps', 'leaf_switches', 'floor_uniform'",
    ),
    (
        "dry_bulb: 35 degC\n  design_wet_bulb: 24 degC",
        "dry_bulb: 35 degC",
        "which cools towards the wet bulb, but 'climat",
    ),
    # Names.
    (
        "may_drop_on: [busway, cdu",
        "may_drop_on: [busway, cud",
        "may_drop_on[1]: found 'cud'; allowed: line, main-transf",
    ),
    (
        "maintenance: [ups, feeder]",
        "maintenance: [ups, cdu]",
        "maintenance[1]: found 'cdu'; allowed: line, main-transf",
    ),
    (
        "leaf_switches: [tiny-leaf]",
        "leaf_switches: [tiny-leef]",
        "leaf_switches[0]: unknown switch 'tiny-leef'; did you m",
    ),
    (
        "leaf_switches: [tiny-leaf]",
        "leaf_switches: [q3400]",
        "conversions[0].leaf_switches[0]: the block offers the port kind 'xdr-800g' of 'q3400' already; remove it",
    ),
    ("halls: [h2]", "halls: [h3]", "storeys[1].halls[0]: unknown hall 'h3'"),
    ("halls: [h2]", "halls: [h2, h1]", "storeys[1].halls[1]: hall 'h1' is on storey 0 already; a hall is on one"),
    ("number: 1, halls", "number: 0, halls", "storeys[1].number: storey 0 stands here a second time"),
    (
        "  - {name: pack,",
        "  - {name: pack, power: 1 MW, energy: 1 MWh, in_service: 2027-Q4, provenance: *assumed}\n  - {name: pack,",
        "batteries[1].name: battery 'pack' stands here a second time; rename or remove one",
    ),
    (
        "coolers: {equipment: wet-pads",
        "coolers: {equipment: tiny-cdu",
        "is of kind 'cdu', but kind 'dry-cooler' or 'adiaba",
    ),
    (
        "manifold_drop: 30 kPa",
        "manifold_drop: 300 kPa",
        "found 300 kPa of the 230 kPa that 'tiny-cdu' gives; nothing is",
    ),
    (
        "    head: {value: 230 kPa, source: made for tests, status: assumption}\n",
        "",
        "liquid.manifold_drop: 'tiny-cdu' has no known 'head', so the pressure left for racks is unknown",
    ),
    (
        "cdus: {equipment: tiny-cdu",
        "cdus: {equipment: cdu-2-0mv",
        "cdus.equipment: unknown cooling equipment 'cdu-2-0mv'",
    ),
]


def every_fault(content: str) -> str:
    """All that is said of a site: why it does not load, or which of its names do not resolve."""
    try:
        document = load_document(content.encode(), SiteFile, "every-key.yaml")
    except InputError as error:
        return str(error)
    return "\n".join(map(str, site_faults(document.value, load_catalog(), document.fault)))


def test_the_site_with_every_key_has_no_fault() -> None:
    assert every_fault(EVERY_KEY) == ""


@pytest.mark.parametrize(("old", "new", "message"), EVERY_KEY_FAULTS)
def test_faults_of_every_key(old: str, new: str, message: str) -> None:
    assert EVERY_KEY.count(old) >= 1
    found = every_fault(EVERY_KEY.replace(old, new, 1))
    assert message in found
    assert all(re.match(r"every-key.yaml:\d+: ", line) for line in found.splitlines())


BY_KIND = ("PowerEquipment", "CoolingEquipment")
"""Equipment has keys that belong to one kind of plate or unit; the catalogue's own tests use them."""


def models_of(value: object) -> Iterator[Model]:
    """Every schema object below a value."""
    if isinstance(value, Model):
        yield value
        for name in type(value).model_fields:
            yield from models_of(getattr(value, name))
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from models_of(one)
    elif isinstance(value, dict):
        yield from models_of(list(value.values()))


def test_the_site_with_every_key_has_every_key() -> None:
    """What a later change of the schema adds must be added here too, and so be broken by the tests above and below."""
    used: dict[type[Model], set[str]] = {}
    for one in models_of(load_model(EVERY_KEY.encode(), SiteFile, "every-key.yaml")):
        if not type(one).__name__.startswith(("Sourced", *BY_KIND)):
            used.setdefault(type(one), set()).update(one.model_fields_set)
    assert {NonFirm, MinimumDemand, Generation, Battery, Flex, Conversion, Storey} <= used.keys()
    missing = {model.__name__: model.model_fields.keys() - keys for model, keys in used.items()}
    assert {model: keys for model, keys in missing.items() if keys} == {}


PORTFOLIO_FAULTS = [
    ("site: ./site.yaml", "site: ./sites.yaml", "site './sites.yaml': no such file; did you mean"),
    ("site: ./site.yaml", "site: fairwater-nowhere", "sites[0].site: unknown site 'fairwater-nowhere'"),
    ("site: ./site.yaml", "site: .", "sites[0].site"),
    (
        "buildings: [b1]",
        "buildings: [b3]",
        "sites[0].buildings[0]: site 'tiny': unknown building 'b3'; known are 'b1', 'b2'",
    ),
    ("buildings: [b1]", "buildings: [b2]", "building 'b2' of site 'tiny' is marked as not available"),
    ("buildings: [b1]", "buildings: [b1, b1]", "sites[0].buildings[1]: building 'b1' stands here a second time"),
    ("buildings: [b1]", "buildings: []", "no building of site 'tiny' is ours to fill"),
    ("[gb300-nvl72, vr", "[gb30-nvl72, vr", "configurations[0]: unknown configuration 'gb30-nvl72'; did you mean"),
    ("[gb300-nvl72, vr", "[gb200-nvl72, vr", "configurations[0]: 'supply' has no entry for system 'gb200-nvl72'"),
    ("[gb300-nvl72, vr", "[kyber-nvl144, vr", "configurations[0]: configuration 'kyber-nvl144' cannot be planned: "),
    ("vr-nvl72/max-q]", "gb300-nvl72]", "configurations[1]: configuration 'gb300-nvl72' stands here a second time"),
    (
        "system: vr-nvl72\n",
        "system: vr-nvl27\n",
        "supply[1].system: unknown rack system 'vr-nvl27'; did you mean 'vr-nvl72'?",
    ),
    ("system: vr-nvl72\n", "system: gb300-nvl72\n", "supply[1].system: system 'gb300-nvl72' stands here a second time"),
    (
        "{system: gb300-nvl72, rental",
        "{system: gb3000, rental",
        "money.systems[0].system: unknown rack system 'gb3000'",
    ),
    (
        "decisions_until: 2027-Q4",
        "decisions_until: 2028-Q1",
        "decisions_until: found 2028-Q1; a quarter from 2027-Q1 to 2027-Q4",
    ),
    (
        "start: 2027-Q1, capacity: 4 MW",
        "start: 2027-Q2, capacity: 4 MW",
        "the first step begins in 2027-Q2, after the plan's",
    ),
    ("discount_rate_per_year: 10 %", "discount_rate_per_year: 10", "discount_rate_per_year: 10.0 is out of range"),
    ("workload: training", "workload: hashing", "money.workload: found 'hashing'; allowed: training, inference"),
    ("periods: 4", "periods: 400", "periods: found the number 400; 64 or less is allowed"),
    ("amount: 30e9 USD", "amount: 30e9 EUR", "contract.amount: unit 'EUR' is not known"),
    ("format: gigaplan-portfolio/1", "format: gigaplan-portfolio/2", "format: found 'gigaplan-portfolio/2'"),
    ("money:\n", "monney:\n", "the key 'money' is missing (is 'monney' meant for it?); add it"),
    (
        "    provenance: &assumed",
        "  - site: ./site.yaml\n    provenance: &assumed",
        "sites[0]: the key 'provenance' is missing",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), PORTFOLIO_FAULTS)
def test_faults_of_a_portfolio(tiny: Path, old: str, new: str, message: str) -> None:
    assert message in changed(tiny, "portfolio.yaml", old, new)


def test_a_site_may_stand_in_a_portfolio_once(tiny: Path) -> None:
    entry = "  - {site: site.yaml, buildings: [b1], provenance: *assumed}\nconfigurations:"
    message = changed(tiny, "portfolio.yaml", "configurations:", entry)
    assert "sites[1].site: site 'tiny' stands in the portfolio a second time" in message


def test_all_faults_of_all_files_come_together_with_their_lines(tiny: Path) -> None:
    site = (
        SITE.replace("pitch: 0.6 m", "pitch: 0.6")
        .replace("count: 2", "cuont: 2")
        .replace("availability: firm", "availability: farm")
    )
    portfolio = PORTFOLIO.replace("periods: 4", "periods: four").replace("name: tiny", "name: tiny\nname: other")
    (tiny / "site.yaml").write_text(site)
    (tiny / "portfolio.yaml").write_text(portfolio)
    message = faults_of(tiny)
    assert f"portfolio.yaml:{line_of(portfolio, 'periods')}: periods: found 'four'; a whole number is due" in message
    assert f"portfolio.yaml:{line_of(portfolio, 'name: other')}: name: this key stands here a second time" in message
    assert f"site.yaml:{line_of(site, 'pitch')}: lineup_templates.pair.rows.pitch: found the bare number 0.6" in message
    assert f"site.yaml:{line_of(site, 'cuont')}: power[0].cuont: unknown key; did you mean 'count'?" in message
    assert len(set(message.splitlines())) == len(message.splitlines())


def test_a_portfolio_at_fault_still_has_the_references_of_its_sites_checked(tiny: Path) -> None:
    (tiny / "site.yaml").write_text(SITE.replace("availability: firm", "availability: farm"))
    message = changed(tiny, "portfolio.yaml", "periods: 4", "periods: four")
    assert "periods: found 'four'" in message
    assert "unknown availability class 'farm'" in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "economic_life_quarters: 20",
            "economic_life_quarters: 3",
            "money.economic_life_quarters: found 3 quarters, but decisions run over 4",
        ),
        (
            "    - {start: 2027-Q1, capacity: 4 MW}\n",
            "    - {start: 2027-Q1, capacity: 4 MW}\n    - {start: 2028-Q1, capacity: 1 MW}\n",
            "portfolio.yaml:8: decisions_until: the envelope falls to 1,000,000 W in 2028-Q1, after the last decision",
        ),
    ],
)
def test_what_is_not_modelled_is_refused_with_its_line(tiny: Path, old: str, new: str, message: str) -> None:
    assert message in changed(tiny, "portfolio.yaml", old, new)


FALLING = "    - {start: 2028-Q1, capacity: 6.5 MW}\n"
GROWING = """generation:
  - {name: gas, units: 2, reserve: 1, rating: 3 MW, rated_dry_bulb: 40 degC, derate_per_kelvin: 0, in_service: 2028-Q1,
     fuel_cost: 40 USD/MWh, provenance: {status: assumption, source: made for tests}}
energy_price: 65"""


def test_a_supply_that_falls_after_the_last_decision_is_refused(tiny: Path) -> None:
    message = changed(tiny, "site.yaml", FALLING, "    - {start: 2028-Q1, capacity: 4 MW}\n")
    assert "decisions_until: the supply of site 'tiny' falls to 4,000,000 W in 2028-Q1, after the last" in message


def test_generation_may_take_the_place_of_the_service(tiny: Path) -> None:
    site = SITE.replace(FALLING, "    - {start: 2028-Q1, capacity: 4 MW}\n").replace("energy_price: 65", GROWING)
    (tiny / "site.yaml").write_text(site)
    assert load_world(tiny).sites[0].site.generation[0].units == 2


def test_references_are_all_reported_with_the_portfolio_s_own(tiny: Path) -> None:
    (tiny / "site.yaml").write_text(
        SITE.replace("availability: firm", "availability: farm").replace("kind: 2n", "kind: 2n")
    )
    message = changed(tiny, "portfolio.yaml", "buildings: [b1]", "buildings: [b9]")
    assert "unknown availability class 'farm'" in message
    assert "site 'tiny': unknown building 'b9'" in message


HOSTILE = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\n", "the file is empty"),
    "comments": (b"# nothing\n", "comments only"),
    "a list": (b"- 1\n- 2\n", "found a list; the file must hold a mapping"),
    "a word": (b"hello", "found the text 'hello'; the file must hold a mapping"),
    "not UTF-8": (b"a: 1\nb: caf\xe9\n", "x.yaml:2: found byte 0xe9, which is not UTF-8"),
    "UTF-16": ("a: 1".encode("utf-16"), "is not UTF-8"),
    "a null byte": (b"a: \x00\n", "not valid YAML"),
    "a tab": (b"a:\n\tb: 1\n", "x.yaml:2: found a tab where YAML wants spaces"),
    "a second document": (b"a: 1\n---\nb: 2\n", "x.yaml:2: found a second document"),
    "a tag": (b"a: !!python/object/apply:os.system [ls]\n", "x.yaml:1: found the tag 'tag:yaml.org,2002:python/obj"),
    "a list as key": (b"[1, 2]: 3\n", "found a list or mapping as key"),
    "an empty key": (b"? \n: 3\n", "found an empty key"),
    "a merge key": (b"a: &a {b: 1}\nc:\n  <<: *a\n", "x.yaml:3: found the merge key"),
    "a repeated key": (b"a: 1\nb: 2\na: 3\n", "x.yaml:3: a: this key stands here a second time, first on line 1"),
    "an unknown alias": (b"a: *b\n", "alias '*b' has no complete anchor before it"),
    "an endless alias": (b"a: &a [*a]\n", "alias '*a' has no complete anchor before it"),
    "an open bracket": (b"a: [1, 2\nb: 3\n", "not valid YAML"),
    "too large": (b"a: 1\n" + b"#" * MAX_BYTES, "larger than"),
    "too deep in flow": (b"a: " + b"[" * 100_000, "nested deeper than"),
    "too deep in block": (b"- " * 100_000 + b"1", "nested deeper than"),
    "too long a value": (b"a: " + b"x" * 20_000, "found a value of 20,000 characters"),
    "too many values": (b"a: [" + b"1," * 400_000 + b"]", "more than 300,000 values"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml(name: str) -> None:
    content, message = HOSTILE[name]
    with pytest.raises(InputError) as caught:
        load_model(content, SiteFile, "x.yaml")
    assert message in str(caught.value)


def test_a_billion_laughs_are_counted_not_built() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(InputError, match="more than 300,000 values"):
        read_nodes("\n".join(lines).encode(), "x.yaml")


def test_aliases_cannot_build_depth() -> None:
    lines = ["a0: &a0 [ha]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 700))]
    with pytest.raises(InputError, match="nested deeper than"):
        read_nodes("\n".join(lines).encode(), "x.yaml")


@pytest.mark.parametrize(
    "value", ["1 W*9**9**9", "1e400 W", "1 " + "W*" * 3000 + "W", "9" * 9000, "1.2.3 W", "1,000 W", "nan W"]
)
def test_hostile_quantities(tiny: Path, value: str) -> None:
    assert "fixed_power" in changed(tiny, "site.yaml", "fixed_power: 10 kW", f"fixed_power: '{value}'")


def test_files_that_cannot_be_read(tiny: Path) -> None:
    with pytest.raises(InputError, match=r"no such file; did you mean '.*portfolio.yaml'"):
        load_world(tiny / "portfolo.yaml")
    with pytest.raises(InputError, match="this is a folder"):
        load_world(tiny.parent)
    with pytest.raises(InputError, match=r"unknown library name 'reference-1gv'.*did you mean 'reference-1gw'"):
        load_world("reference-1gv")
    with pytest.raises(InputError):
        load_world("a\0b")
    with pytest.raises(InputError):
        load_world("x" * 5000 + ".yaml")
    fifo = tiny / "pipe.yaml"
    os.mkfifo(fifo)
    with pytest.raises(InputError, match="not a regular file"):
        load_world(fifo)


TOKENS = st.sampled_from(
    [
        "",
        "~",
        "[]",
        "{}",
        "-1",
        "0",
        "1e99",
        "1e-31 W",
        "5 kW",
        "x",
        "'",
        '"',
        ":",
        "\n",
        "  ",
        "\t",
        "- ",
        "&a",
        "*a",
        "*assumed",
        "!!int",
        "#",
        ",",
        "é",
        "\u2028",
        "service",
        "gb300-nvl72",
        "2027-Q9",
        "true",
        "nan",
    ]
)


@st.composite
def mutated(draw: st.DrawFn, text: str) -> bytes:
    """The text after a few random edits: pieces cut, repeated, replaced by odd tokens, or lines exchanged."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 40)))
        kind = draw(st.sampled_from(["cut", "token", "repeat", "value", "line"]))
        if kind == "cut":
            text = text[:start] + text[stop:]
        elif kind == "token":
            text = text[:start] + draw(TOKENS) + text[stop:]
        elif kind == "repeat":
            text = text[:stop] + text[start:]
        else:
            text = with_line_changed(text, draw, whole=kind == "line")
    return text.encode("utf-8", "replace")


def with_line_changed(text: str, draw: st.DrawFn, *, whole: bool) -> str:
    """One line dropped, or its value replaced by an odd token."""
    lines = text.split("\n")
    index = draw(st.integers(0, len(lines) - 1))
    if whole:
        return "\n".join(lines[:index] + lines[index + 1 :])
    lines[index] = lines[index].partition(":")[0] + ": " + draw(TOKENS)
    return "\n".join(lines)


M = TypeVar("M", SiteFile, PortfolioFile)


def loaded(content: bytes, model: type[M]) -> Document[M] | list[Fault]:
    """The document, or the faults for which it was refused; anything else that is raised fails the test."""
    try:
        return load_document(content, model, "fuzzed.yaml")
    except InputError as error:
        return error.faults


def check_site(content: bytes) -> None:
    document = loaded(content, SiteFile)
    if isinstance(document, Document):
        found = site_faults(document.value, load_catalog(), document.fault)
    else:
        found = document
        assert found
    assert all(fault.message and fault.file == "fuzzed.yaml" for fault in found)


def check_portfolio(content: bytes) -> None:
    document = loaded(content, PortfolioFile)
    if isinstance(document, Document):
        site = load_document(SITE.encode(), SiteFile, "site.yaml")
        found = portfolio_faults(document, [site] * len(document.value.sites), load_catalog())
    else:
        found = document
        assert found
    assert all(fault.message and fault.file == "fuzzed.yaml" for fault in found)


@given(mutated(SITE))
def test_a_site_with_mutated_text_loads_or_is_refused(content: bytes) -> None:
    check_site(content)


@given(mutated(EVERY_KEY))
def test_every_key_with_mutated_text_loads_or_is_refused(content: bytes) -> None:
    check_site(content)


@given(mutated(PORTFOLIO))
def test_a_portfolio_with_mutated_text_loads_or_is_refused(content: bytes) -> None:
    check_portfolio(content)


ODD_VALUES = st.one_of(
    st.sampled_from(["", "5 kW", "-5 kW", "1e30 W", "service", "gb300-nvl72", "2027-Q1", "b1", "2n", "feeder", [], {}]),
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@st.composite
def restructured(draw: st.DrawFn, text: str) -> bytes:
    """The file's values as YAML again, with a few of them replaced, dropped or doubled."""
    value = yaml.safe_load(text)
    for _ in range(draw(st.integers(1, 3))):
        value = with_value_changed(value, draw)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).encode()


def with_value_changed(value: Any, draw: st.DrawFn) -> Any:
    """Walk down at random, and change what is found there."""
    if not isinstance(value, (dict, list)) or not value or draw(st.integers(0, 5)) == 0:
        return draw(ODD_VALUES)
    if isinstance(value, dict):
        key = draw(st.sampled_from(list(value)))
        kind = draw(st.sampled_from(["below", "below", "below", "drop", "add"]))
        if kind == "drop":
            return {name: below for name, below in value.items() if name != key}
        if kind == "add":
            return value | {draw(st.text(max_size=8)): draw(ODD_VALUES)}
        return value | {key: with_value_changed(value[key], draw)}
    index = draw(st.integers(0, len(value) - 1))
    kind = draw(st.sampled_from(["below", "below", "drop", "double"]))
    middle = {
        "below": lambda: [with_value_changed(value[index], draw)],
        "drop": list,
        "double": lambda: [value[index]] * 2,
    }
    return [*value[:index], *middle[kind](), *value[index + 1 :]]


@given(restructured(SITE))
def test_a_site_with_changed_values_loads_or_is_refused(content: bytes) -> None:
    check_site(content)


@given(restructured(EVERY_KEY))
def test_every_key_with_changed_values_loads_expands_or_is_refused(content: bytes) -> None:
    check_site(content)
    document = loaded(content, SiteFile)
    if isinstance(document, Document) and not site_faults(document.value, load_catalog(), document.fault):
        with contextlib.suppress(InputError):
            assert all(finding.message for finding in check(expand(document.value, load_catalog())))


@given(restructured(PORTFOLIO))
def test_a_portfolio_with_changed_values_loads_or_is_refused(content: bytes) -> None:
    check_portfolio(content)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        load_model(content, SiteFile, "site.yaml")

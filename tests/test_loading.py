"""Good input: YAML to schema, the catalogue, the world of a plan, and its inputs written and read again."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from conftest import TINY

from sites import json_schema, library
from sites.catalog.loader import load_catalog, parse_catalog
from sites.faults import InputError
from sites.inputs import InputFile
from sites.loading import load_model
from sites.schema.common import Model
from sites.schema.site import SiteFile
from sites.world import (
    PLACEHOLDER,
    input_hash,
    load_world,
    load_world_from_inputs,
    save_inputs,
    site_power_equipment,
)
from sites.yaml_nodes import plain_value, read_nodes


def values_of(text: str) -> object:
    node, faults = read_nodes(text.encode(), "test.yaml")
    assert faults == []
    return plain_value(node)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("0o17", "0o17"),
        ("2027-01-01", "2027-01-01"),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("'12'", "12"),
        ("'null'", "null"),
        ("012", 12),
        ("1_000", "1_000"),
        ("true", True),
        ("null", None),
        ("", None),
        ("-3", -3),
        ("0.1", 0.1),
        ("1e3", 1000.0),
    ],
)
def test_a_plain_scalar_means_what_it_looks_like(written: str, value: object) -> None:
    result = values_of(f"key: {written}")
    assert result == {"key": value}
    assert isinstance(result, dict)
    assert isinstance(result["key"], type(value))


def test_decimals_keep_their_digits(tiny: Path) -> None:
    site = (
        (tiny / "site.yaml")
        .read_text()
        .replace("pump_power_per_heat: 0.02", "pump_power_per_heat: 0.1234567890123456789")
    )
    plant = load_model(site.encode(), SiteFile, "site.yaml").building_templates["hall"].plants[0]
    assert plant.pump_power_per_heat == Fraction(1234567890123456789, 10**19)


def test_aliases_repeat_a_value() -> None:
    assert values_of("a: &x {b: [1, two]}\nc: *x\n") == {"a": {"b": [1, "two"]}, "c": {"b": [1, "two"]}}


def test_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    assert values_of("\ufeffa: 1\r\nb: two\r\n") == {"a": 1, "b": "two"}


def test_load_model_reads_paths_and_bytes_alike(tiny: Path) -> None:
    path = tiny / "site.yaml"
    assert load_model(path, SiteFile) == load_model(path.read_bytes(), SiteFile, "any name")


def test_world_of_a_portfolio(tiny: Path) -> None:
    world = load_world(tiny / "portfolio.yaml")
    assert world.portfolio.name == "tiny"
    assert [(one.name, one.entry.buildings) for one in world.sites] == [("tiny", ("b1",))]
    assert [file.name for file in world.files[:2]] == ["portfolio.yaml", "sites/tiny.yaml"]
    assert {file.role for file in world.files[2:]} == {"catalog"}
    assert world.files[1].content == (tiny / "site.yaml").read_bytes()
    assert world.files[1].sha256 == hashlib.sha256(world.files[1].content).hexdigest()


def test_a_folder_and_a_text_name_the_same_world(tiny: Path) -> None:
    assert load_world(str(tiny)) == load_world(tiny / "portfolio.yaml")


def test_own_equipment_stands_beside_the_catalogue(tiny: Path) -> None:
    world = load_world(tiny)
    equipment = site_power_equipment(world.sites[0].site, world.catalog)
    assert equipment["tiny-ups"].real is not None
    assert equipment["tiny-ups"].real.value == 1_000_000
    assert equipment.keys() - world.catalog.power.keys() == {"tiny-ups"}


def test_inputs_survive_writing_and_reading(tiny: Path, tmp_path: Path) -> None:
    world = load_world(tiny)
    run = tmp_path / "inputs"
    save_inputs(world, run)
    shutil.rmtree(tiny)
    again = load_world_from_inputs(run)
    assert again == world
    assert input_hash(again) == input_hash(world)
    assert (run / "portfolio.yaml").read_bytes() == (Path(__file__).parent / "tiny" / "portfolio.yaml").read_bytes()


def test_inputs_do_not_depend_on_where_they_lay(tiny: Path, tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(tiny, tmp_path / "else" / "where"))
    assert input_hash(load_world(tiny)) == input_hash(load_world(elsewhere))


def test_every_byte_enters_the_input_hash(tiny: Path) -> None:
    before = input_hash(load_world(tiny))
    site = tiny / "site.yaml"
    site.write_bytes(site.read_bytes() + b"\n")
    assert input_hash(load_world(tiny)) != before


def test_verify_reads_the_catalogue_of_the_run(tiny: Path, tmp_path: Path) -> None:
    run = tmp_path / "inputs"
    save_inputs(load_world(tiny), run)
    file = run / "catalog" / "rack_systems.yaml"
    text = file.read_text()
    assert "sustained_max: {value: 140 kW" in text
    file.write_text(text.replace("sustained_max: {value: 140 kW", "sustained_max: {value: 139 kW"))
    changed = load_world_from_inputs(run).catalog.configuration("gb300-nvl72").profile.sustained_max.value
    assert changed == 139_000
    assert load_catalog().configuration("gb300-nvl72").profile.sustained_max.value == 140_000


def test_every_key_survives_writing_and_reading() -> None:
    """Quantities are written in base units, each in a form that its own key accepts again."""
    site = load_model(TINY / "every-key.yaml", SiteFile)
    assert SiteFile.model_validate_json(site.model_dump_json(exclude_none=True)) == site


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\b"])
def test_inputs_stay_in_their_folder(tiny: Path, tmp_path: Path, name: str) -> None:
    run = tmp_path / "inputs"
    save_inputs(load_world(tiny), run)
    resolved = json.loads((run / "resolved.json").read_text())
    resolved["files"][1]["name"] = name
    (run / "resolved.json").write_text(json.dumps(resolved))
    with pytest.raises(InputError, match="not a path inside the folder"):
        load_world_from_inputs(run)


@pytest.mark.parametrize("content", ["", "[]", "{}", "nonsense", '{"files": [1]}', '{"files": []}', "[" * 100_000])
def test_a_broken_list_of_inputs_is_a_fault(tmp_path: Path, content: str) -> None:
    (tmp_path / "resolved.json").write_text(content)
    with pytest.raises(InputError):
        load_world_from_inputs(tmp_path)


def test_a_bare_site_is_planned_under_the_default_portfolio(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = (
        (tiny / "portfolio.yaml").read_text().replace("./site.yaml", PLACEHOLDER).replace("    buildings: [b1]\n", "")
    )
    (tmp_path / "default.yaml").write_text(template)
    monkeypatch.setattr(library, "default_portfolio", lambda: tmp_path / "default.yaml")
    world = load_world(tiny / "site.yaml")
    assert [(one.name, one.entry.site, one.entry.buildings) for one in world.sites] == [("tiny", "tiny", None)]
    save_inputs(world, tmp_path / "inputs")
    assert load_world_from_inputs(tmp_path / "inputs") == world


def test_configurations_of_the_catalogue() -> None:
    catalog = load_catalog()
    names = [one.name for one in catalog.configurations()]
    assert {"gb200-nvl72", "gb300-nvl72", "vr-nvl72/max-q", "vr-nvl72/max-p"} <= set(names)
    assert len(names) == len(set(names))
    assert all(catalog.configuration(name).name == name for name in names)
    with pytest.raises(KeyError, match="did you mean 'vr-nvl72/max-q'"):
        catalog.configuration("vr-nvl72/maxq")
    with pytest.raises(KeyError, match="unknown configuration 'gb300-nvl72/standard'"):
        catalog.configuration("gb300-nvl72/standard")


CATALOG = """\
format: gigaplan-catalog/1
sources: {maker: A maker's data sheet}
switches:
  - name: leaf
    title: Leaf
    port_kind: xdr-800g
    ports: {value: 64, source: SOURCE, status: STATUS}
    port_speed: {value: 800 Gbps, source: maker, status: published}
    power: {value: 2 kW, source: maker, status: published}
"""


def catalog_file(source: str = "maker", status: str = "published", name: str = "catalog/a.yaml") -> InputFile:
    return InputFile("catalog", name, CATALOG.replace("SOURCE", source).replace("STATUS", status).encode())


def test_published_figures_cite_known_sources() -> None:
    assert parse_catalog([catalog_file()]).switches["leaf"].ports.value == 64
    assert parse_catalog([catalog_file("a guess of ours", "assumption")]).switches["leaf"].ports.value == 64
    with pytest.raises(InputError, match=r"a.yaml:7: switches\[0\].ports.source: unknown source key 'makr'.*'maker'"):
        parse_catalog([catalog_file("makr")])
    with pytest.raises(InputError, match="a published figure must cite keys"):
        parse_catalog([catalog_file("everyone says so")])


def test_catalogue_names_are_unique_over_files() -> None:
    with pytest.raises(InputError, match=r"b.yaml:4: switches\[0\].name: 'leaf' is in the catalogue already"):
        parse_catalog([catalog_file(), catalog_file(name="catalog/b.yaml")])


def test_library_lists_what_it_finds() -> None:
    for entry in library.entries():
        assert entry.path.is_file()
        assert entry.title
        assert library.find(entry.name) is not None
    assert library.find("no-such-name") is None
    assert library.find("../library") is None


@pytest.mark.parametrize("kind", json_schema.KINDS)
def test_json_schema_is_closed_and_documented(kind: str) -> None:
    schema = json_schema.export(kind)
    assert schema["additionalProperties"] is False
    assert "format" in schema["required"]
    assert all("additionalProperties" in one for one in schema["$defs"].values() if one.get("type") == "object")
    assert json.loads(json.dumps(schema)) == schema


def test_json_schema_of_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="did you mean 'portfolio'"):
        json_schema.export("portfolios")


SITE_PARTS = ("building", "cooling", "failures", "lineup", "power", "service", "site")
"""Modules of the schema whose mappings make up a site file; equipment is the catalogue's."""


def keys_of_a_site() -> set[str]:
    """Every key of every mapping of a site file."""
    modules = {f"sites.schema.{part}" for part in SITE_PARTS}
    models = [model for model in Model.__subclasses__() if model.__module__ in modules]
    assert len(models) > 20
    return {key for model in models for key in model.model_fields}


def test_input_document_explains_every_key_of_a_site() -> None:
    document = (Path(__file__).parent.parent / "docs" / "input.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", document))
    assert not keys_of_a_site() - named


def test_json_schema_describes_quantities_by_example() -> None:
    definitions = json_schema.export("site")["$defs"]
    assert definitions["Swing"]["properties"]["ramp"]["anyOf"][0]["examples"] == ["50 MW/min"]
    assert {"swing", "steps"} <= set(definitions["Service"]["required"])
    assert definitions["Plant"]["properties"]["unit_feeds"]["enum"] == ["all", "matched"]
    assert {"cdu", "air-handler", "cooler", "chiller", "leaf"} <= set(definitions["FailureKind"]["enum"])

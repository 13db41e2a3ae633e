"""The catalogue's throughput: what its sources publish comes out of it, and its notes' arithmetic is right."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planner.cli.main import main
from sites.catalog.loader import load_catalog, parse_catalog
from sites.faults import InputError
from sites.inputs import InputFile
from sites.schema.common import Status
from sites.schema.throughput import RatedPer
from sites.throughput import ThroughputError, rack_rate, serving_rate, unit_rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.schema.throughput import ThroughputBasis, ThroughputCurve, ThroughputPoint

CATALOG = load_catalog()
DATA = Path(__file__).parents[1] / "sites" / "catalog" / "data"
DOCUMENT = Path(__file__).parents[1] / "docs" / "catalogue.md"
AGENTX = "deepseek-v4-pro-agentx"


def curves(basis: str, system: str) -> list[ThroughputCurve]:
    return [one for one in CATALOG.throughput[basis].curves if one.system == system]


def all_points() -> Iterator[tuple[ThroughputBasis, ThroughputCurve, ThroughputPoint]]:
    for basis in CATALOG.throughput.values():
        for curve in basis.curves:
            for point in curve.points:
                yield basis, curve, point


def best_unit_rate(system: str, speed: int) -> Fraction:
    """The highest rate for one all-in MW of any software on a system, in tokens/s."""
    rates = []
    for curve in curves(AGENTX, system):
        try:
            rates.append(unit_rate(curve, Fraction(speed))[0])
        except ThroughputError:
            continue
    return max(rates)


@pytest.mark.parametrize(
    ("speed", "ratio"), [(75, "1.45"), (100, "2.09"), (125, "4.29"), (150, "7.19"), (170, "5.56"), (200, "2.72")]
)
def test_vera_rubin_over_gb300_for_an_all_in_megawatt(speed: int, ratio: str) -> None:
    found = best_unit_rate("vr-nvl72", speed) / best_unit_rate("gb300-nvl72", speed)
    assert f"{float(found):.2f}" == ratio


def test_the_engine_that_wins_changes_between_75_and_100() -> None:
    gb300 = CATALOG.configuration("gb300-nvl72")
    best = {v: serving_rate(CATALOG.throughput[AGENTX], gb300, Fraction(v)).curve.software for v in (75, 100)}
    assert best == {75: "TensorRT-LLM", 100: "SGLang"}


def test_a_rack_has_its_all_in_power_of_the_megawatt() -> None:
    for configuration in ("gb300-nvl72", "vr-nvl72/max-p"):
        one = CATALOG.configuration(configuration)
        assert one.profile.sustained_max.value is not None
        assert one.profile.support_power.value is not None
        rack_mw = (one.profile.sustained_max.value + one.profile.support_power.value) / 10**6
        for curve in curves(AGENTX, one.system.name):
            rate = rack_rate(curve, one.system, Fraction(75))
            assert rate == unit_rate(curve, Fraction(75))[0] * rack_mw


# Model: ratio for a GPU, for a W of TGP and for an all-in kW, by scenario. The last is 2.40 where it is worked out of
# the rounded 3.74.
MLPERF = {
    "deepseek-r1-mlperf-v6-1": (("1.74", "1.06", "1.12"), ("1.97", "1.20", "1.27"), ("2.57", "1.57", "1.65")),
    "qwen3-vl-235b-mlperf-v6-1": (("1.83", "1.12", "1.18"), ("1.92", "1.17", "1.23"), ("3.74", "2.28", "2.41")),
}


@pytest.mark.parametrize(("basis", "scenario"), [(basis, index) for basis in MLPERF for index in range(3)])
def test_vera_rubin_over_gb300_in_mlperf(basis: str, scenario: int) -> None:
    gb300, vr = (curves(basis, name)[0] for name in ("gb300-nvl72", "vr-nvl72"))
    configurations = [CATALOG.configuration(name) for name in ("gb300-nvl72", "vr-nvl72/max-p")]
    all_in_w = [one.profile.sustained_max.value + one.profile.support_power.value for one in configurations]  # type: ignore[operator]
    rates = [curve.points[scenario].rate.value for curve in (gb300, vr)]
    for_a_gpu = rates[1] / rates[0]  # type: ignore[operator]
    found = (for_a_gpu, for_a_gpu * Fraction(1400, 2300), for_a_gpu * all_in_w[0] / all_in_w[1])
    assert tuple(f"{float(ratio):.2f}" for ratio in found) == MLPERF[basis][scenario]


@pytest.mark.parametrize(
    ("basis", "system", "per_gpu"),
    [
        ("deepseek-r1-mlperf-v6-1", "gb300-nvl72", (9441, 8291, 3521)),
        ("deepseek-r1-mlperf-v6-1", "vr-nvl72", (16435, 16332, 9066)),
        ("gpt-oss-120b-mlperf-v6-1", "gb300-nvl72", (15618, 15565, 9296)),
    ],
)
def test_published_rates_for_a_gpu(basis: str, system: str, per_gpu: tuple[int, int, int]) -> None:
    [curve] = [one for one in curves(basis, system) if "four racks" not in one.software]
    n_gpus = CATALOG.rack_systems[system].gpu_packages.value
    assert tuple(round(float(point.rate.value / n_gpus)) for point in curve.points) == per_gpu  # type: ignore[operator]


def test_software_alone_over_two_rounds() -> None:
    older, newer = (curves(f"deepseek-r1-mlperf-v{name}", "gb300-nvl72")[0] for name in ("5-1", "6-0"))
    gains = [b.rate.value / a.rate.value for a, b in zip(older.points, newer.points, strict=True)]  # type: ignore[operator]
    assert [f"{float(gain):.1f}" for gain in gains] == ["1.7", "2.8"]


def test_training_against_gb300() -> None:
    rates = {one.system: one.points[0].rate for one in CATALOG.throughput["training-against-gb300"].curves}
    assert rates["gb300-nvl72"].value == 1
    assert rates["gb200-nvl72"].low is not None
    assert f"{float(1 / rates['gb200-nvl72'].low):.1f}" == "1.6"
    vr = rates["vr-nvl72"]
    for_a_megawatt = [one * Fraction(2120, 3300) for one in (vr.low, vr.value, vr.high) if one is not None]
    assert [f"{float(one):.1f}" for one in for_a_megawatt] == ["1.0", "1.4", "1.9"]


def test_scaling_of_training_from_half_to_all_of_the_gpus() -> None:
    half, whole = (one.points[0].rate.value for one in CATALOG.throughput["llama-405b-mlperf-training-v5-1"].curves)
    assert f"{float(whole / half):.2f}" == "0.94"  # type: ignore[operator]


def arithmetic(note: str) -> Fraction | None:
    """What the arithmetic of a note gives, None where it has none."""
    text = note.replace(",", "")
    if found := re.search(r"^1 / ([\d.]+) ms", text):
        return 1000 / Fraction(found[1])
    if found := re.search(r"^([\d.]+) tokens / ([\d.]+) s$", text):
        return Fraction(found[1]) / Fraction(found[2])
    if found := re.search(r"^1e6 / \(([\d.]+) min x 60 x (\d+)\)$", text):
        return 10**6 / (Fraction(found[1]) * 60 * int(found[2]))
    if found := re.search(r"(\d{7}) (?:on 288 GPUs )?over four", text):
        return Fraction(int(found[1]), 4)
    return None


def test_the_arithmetic_of_the_notes() -> None:
    n_checked = 0
    for basis, curve, point in all_points():
        figures = [point.rate] if point.speed is None else [point.rate, point.speed]
        for figure in figures:
            expected = arithmetic(figure.note or "")
            if expected is None or figure.value is None:
                continue
            n_checked += 1
            where = f"{basis.name}: {curve.name}: {figure.note}"
            if figure is point.speed:
                assert figure.value == Fraction(floor(expected * 100), 100), where
            else:
                assert abs(figure.value / expected - 1) < Fraction(1, 10**4), where
    assert n_checked > 20


def test_every_derived_figure_shows_its_arithmetic() -> None:
    for basis, curve, point in all_points():
        for figure in (point.rate, *([point.speed] if point.speed is not None else [])):
            if figure.status is Status.ESTIMATE:
                assert arithmetic(figure.note or "") is not None, f"{basis.name}: {curve.name}"


def test_limits_of_a_service_are_kept_by_what_was_measured() -> None:
    """A scenario's limits on the first and on each further token, in s, against the 99th percentiles measured."""
    limits = {
        "deepseek-r1-mlperf-v6-1": ((2, "0.080"), (Fraction(3, 2), "0.015")),
        "gpt-oss-120b-mlperf-v6-1": ((3, "0.080"), (2, "0.020")),
    }
    for basis, (server, interactive) in limits.items():
        for curve in CATALOG.throughput[basis].curves:
            for point, (first_s, further_s) in zip(curve.points[1:], (server, interactive), strict=False):
                assert point.speed is not None
                assert point.speed.value >= 1 / Fraction(further_s)  # type: ignore[operator]
                assert point.ttft.value <= first_s  # type: ignore[operator]


def test_what_is_served_falls_with_speed_on_every_curve() -> None:
    """The one result that lies below its faster neighbour is GB200's offline run of GPT-OSS-120B."""
    odd = {
        (basis.name, curve.system)
        for basis in CATALOG.throughput.values()
        for curve in basis.curves
        if [p.rate.value for p in curve.points] != sorted((p.rate.value for p in curve.points), reverse=True)  # type: ignore[type-var]
    }
    assert odd == {("gpt-oss-120b-mlperf-v6-1", "gb200-nvl72")}


def test_every_enabled_system_is_measured_on_a_large_model_and_in_training() -> None:
    for system in CATALOG.rack_systems.values():
        if system.enabled:
            assert curves("deepseek-r1-mlperf-v6-1", system.name), system.name
            assert curves("training-against-gb300", system.name), system.name


def test_the_notes_power_is_the_catalogues_all_in_power() -> None:
    for curve in CATALOG.throughput[AGENTX].curves:
        assert curve.per is RatedPer.ALL_IN_MEGAWATT
        assert curve.all_in_power_per_gpu is not None
        assert curve.all_in_power_per_gpu.value == {"gb300-nvl72": 2120, "vr-nvl72": 3300}[curve.system]


SOURCE = (DATA / "throughput.yaml").read_text(encoding="utf-8")
RACKS = InputFile("catalog", "catalog/rack_systems.yaml", (DATA / "rack_systems.yaml").read_bytes())

FAULTS = [
    (
        "- system: gb200-nvl72\n        profile: standard",
        "- system: gb20-nvl72\n        profile: standard",
        "throughput[0].curves[0].system: unknown rack system 'gb20-nvl72'; did you mean 'gb200-nvl72'?; for one that",
    ),
    (
        "profile: max-p",
        "profile: maxp",
        "curves[3].profile: unknown profile of 'vr-nvl72' 'maxp'; did you mean 'max-p'?",
    ),
    (
        "software: TensorRT-LLM 1.2 (NVIDIA), four racks as one system",
        "software: TensorRT-LLM 1.2 (NVIDIA)",
        "curves[2].software: this basis has a curve of 'gb300-nvl72' with this profile and software already; join",
    ),
    (
        "- system: hgx-h100\n",
        "- system: gb300-nvl72\n",
        "outside_catalogue: 'gb300-nvl72' is a rack system of the catalogue; remove this key",
    ),
    (
        "name: gpt-oss-120b-mlperf-v6-1",
        "name: deepseek-r1-mlperf-v6-1",
        "throughput[2].name: 'deepseek-r1-mlperf-v6-1' is in the catalogue already; rename or remove one of them",
    ),
    ("source: ML61-VR,", "source: ML61-VT,", "unknown source key 'ML61-VT'; did you mean 'ML61-VR'?"),
    (
        "model_class: large",
        "model_class: huge",
        "throughput[0].model_class: found 'huge'; allowed: large, middle, small",
    ),
    (
        "counts: output-tokens",
        "counts: output-token",
        "found 'output-token' (did you mean 'output-tokens'?); allowed: ",
    ),
    ("value: 15.19 tokens/s/user", "value: 15.19", "points[1].speed.value: found the bare number 15.19; a unit is due"),
    ("measured: 2026-Q3", "measured: 2026", "curves[0].measured: found the number 2026"),
    ("per: rack", "per: racks", "curves[0].per: found 'racks' (did you mean 'rack'?); allowed: rack, gpu, all-in-mega"),
]


@pytest.mark.parametrize(("old", "new", "message"), FAULTS)
def test_faults_of_the_file(old: str, new: str, message: str) -> None:
    assert old in SOURCE
    changed = InputFile("catalog", "catalog/throughput.yaml", SOURCE.replace(old, new, 1).encode())
    with pytest.raises(InputError) as caught:
        parse_catalog([RACKS, changed])
    assert re.search(r"catalog/throughput\.yaml:\d+: ", str(caught.value))
    assert message in str(caught.value)


def test_a_rate_for_a_gpu_needs_the_number_of_gpus() -> None:
    text = RACKS.content.decode()
    first = "gpu_packages: {value: 72, source"
    assert first in text
    without = text.replace(first, "gpu_packages: {value: null, reason: Not known, source", 1)
    changed = InputFile("catalog", RACKS.name, without.encode())
    with pytest.raises(
        InputError, match=r"\.per: 'gb200-nvl72' has no known 'gpu_packages', so a rate for a gpu gives"
    ):
        parse_catalog([changed, InputFile("catalog", "catalog/throughput.yaml", SOURCE.encode())])


def test_the_catalogue_command_shows_basis_curves_and_conditions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["catalog", AGENTX])
    assert ended.value.code == 0
    shown, told = capsys.readouterr()
    for part in ("vr-nvl72, TensorRT-LLM, pre-release,", "75 tokens/s/user", "59.38 M/s", "measured"):
        assert part in shown
    assert "total-tokens of gb300-nvl72, vr-nvl72" in told
    assert "Speeds are those that nine of ten users get" in " ".join(told.split())
    with pytest.raises(SystemExit):
        main(["catalog"])
    listed = capsys.readouterr().out
    assert all(name in listed for name in CATALOG.throughput)


def shown_points(curve: ThroughputCurve) -> str:
    """The points of a curve as the document shows them: rates for its unit, with speeds behind `at`."""
    scale = 10**6 if curve.per is RatedPer.ALL_IN_MEGAWATT else 1
    cells = []
    for point in curve.points:
        rate = float((point.rate.value or 0) / scale)
        text = f"{rate:,.0f}" if rate >= 1000 else f"{rate:.4g}"
        speed = point.speed_tokens_per_s_user
        cells.append(text if speed is None else f"{text} at {float(speed):g}")
    return "; ".join(cells)


def test_the_document_shows_every_curve() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.partition("\n## Throughput\n")[2].partition("\n## ")[0]
    shown: list[tuple[str, str, str]] = []
    basis = ""
    for line in section.splitlines():
        if found := re.match(r"^\| (?:`([a-z0-9-]+)`)? *\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", line):
            basis = found[1] or basis
            shown.append((basis, found[2].strip(), found[4].strip()))
    due = [
        (one.name, f"{curve.system}, {curve.software}", shown_points(curve))
        for one in CATALOG.throughput.values()
        for curve in one.curves
    ]
    assert [line for line in shown if line[0]] == due

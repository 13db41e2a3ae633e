"""`gigaplan explain break-even`: what it prints, its JSON and its picture."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from run_cases import make_run, world_of

from planner.cli.main import main
from planner.report.generations import generations_view

if TYPE_CHECKING:
    from pathlib import Path

DEEPSEEK = "deepseek-r1-mlperf-v6-1"
PILOT = """basis,system,profile,speed [tokens/s/user],ttft [s],rate [1/s],quarter,source
deepseek-r1-mlperf-v6-1,gb300-nvl72,standard,,,1500000,2026-Q4,Pilot
deepseek-r1-mlperf-v6-1,gb300-nvl72,standard,20,,1100000,2026-Q4,Pilot
deepseek-r1-mlperf-v6-1,gb300-nvl72,standard,60,,200000,2026-Q4,Pilot
"""


def run(*arguments: object) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in ("explain", "break-even", *arguments)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_tables_and_sentences(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "choice.svg"
    assert run("--basis", DEEPSEEK, "--speed", "40", "--picture", picture) == 0
    printed = capsys.readouterr()
    for text in (
        "fairwater-wisconsin, 86.8 USD/MWh",
        "Counts output tokens.",
        "vr-nvl72/max-p from 20.73 to 79.61",
        "TensorRT-LLM for Rubin, first release (NVIDIA, preview)",
        "not measured",
        "Vera Rubin at every speed up to 68.4 tokens/s/user, the fastest measured on both",
        "nothing is extrapolated",
        "within the catalogue's range",
        "The choice with one thing changed",
        "Vera Rubin rack +40 %",
    ):
        assert text in printed.out, text
    assert any(line.split()[:1] == ["40"] for line in printed.out.splitlines())
    drawn = picture.read_text(encoding="utf-8")
    assert ET.fromstring(drawn).tag.endswith("svg")
    for text in ("DeepSeek-R1", "batch", "vr-nvl72/max-p", "Vera Rubin costs less", "prefers-color-scheme: dark"):
        assert text in drawn


def test_json_and_terminal_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--basis", DEEPSEEK, "--json") == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["basis"], found["unit"], found["site"]) == (DEEPSEEK, "output tokens", "fairwater-wisconsin")
    batch, *timed = found["speeds"]
    assert batch["speed"] is None
    assert [line["speed"] for line in timed] == [13.01, 15.19, 20.73, 67.93, 68.4, 79.61]
    for line in found["speeds"]:
        by_name = {one["configuration"]: one for one in line["options"]}
        best = min(by_name, key=lambda name: by_name[name]["usd_per_million"])
        assert line["best"]["cost-per-million"] == best
    costs = [
        one["usd_per_million"] for line in timed for one in line["options"] if one["configuration"] == "gb300-nvl72"
    ]
    assert costs == sorted(costs)
    profiles = {one["configuration"]: one["status"] for one in timed[0]["options"]}
    assert (profiles["vr-nvl72/max-p"], profiles["vr-nvl72/max-q"]) == ("measured", "assumption")
    crossing = found["grid"][-1]["outcomes"]["cost-per-million"]["crossings"][0]
    numerator, denominator = map(int, crossing["speed_exactly"].split("/"))
    assert crossing["speed"] == pytest.approx(numerator / denominator)
    for rack in found["racks"]:
        parts = ("rack_usd", "network_usd", "energy_usd", "demand_usd", "upkeep_usd")
        assert rack["cost_usd"] == pytest.approx(sum(rack[part] for part in parts))


def test_a_pilot_on_grace_blackwell_flips_the_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice the rate for slow users and batch work: those go to Grace Blackwell, fast users stay with Vera Rubin."""
    from sites.library import find

    source = find("claude-on-azure-1gw")
    assert source is not None
    portfolio = tmp_path / "portfolio.yaml"
    text = source.read_text(encoding="utf-8").replace("\nsupply:", "\nthroughput_files: [pilot.csv]\nsupply:", 1)
    portfolio.write_text(text, encoding="utf-8")
    (tmp_path / "pilot.csv").write_text(PILOT, encoding="utf-8")
    picture = tmp_path / "choice.svg"
    assert run(portfolio, "--basis", DEEPSEEK, "--json", "--picture", picture) == 0
    [found] = json.loads(capsys.readouterr().out)
    outcome = found["outcomes"]["cost-per-million"]
    assert outcome["generations"] == ["grace-blackwell", "vera-rubin"]
    [crossing] = outcome["crossings"]
    assert crossing["exact"]
    assert 20 < crossing["speed"] < 60
    assert (crossing["slower"]["software"], crossing["slower"]["points"]) == ("as measured in pilot file 1", "20 to 60")
    assert found["speeds"][0]["best"]["cost-per-million"] == "gb300-nvl72"
    assert "Grace Blackwell costs less" in picture.read_text(encoding="utf-8")


def test_training_has_no_speed_to_draw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "choice.svg"
    assert run("--basis", "training-against-gb300", "--picture", picture) == 2
    printed = capsys.readouterr()
    assert "No speed was measured on both generations; batch work only." in printed.out
    assert "there is no speed to draw" in printed.err
    assert not picture.exists()


def test_the_report_has_the_section_where_both_are_on_offer(tmp_path: Path) -> None:
    """One picture inside the page, ids once, no address of another place."""
    make_run("toy-wait-for-next", tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert '<section id="generations">' in page
    assert 'href="#generations"' in page
    for text in ("Which generation for which speed", "DeepSeek-R1, MLPerf Inference v6.1", "nothing is extrapolated"):
        assert text in page
    assert page.count("<svg xmlns:xlink") == 1
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "<metadata" not in page


def test_the_report_has_no_section_where_one_is_on_offer() -> None:
    assert generations_view(world_of("toy-position")) is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--basis", "deepseek"), "unknown throughput basis"),
        (("--site", "abilene"), "abilene-expansion"),
        (("--speed", "fast"), "fast"),
        (("--token-price", "0"), "a number above 0 is due"),
        (("toy-position",), "this comparison needs one of each generation on offer"),
    ],
)
def test_mistakes_are_explained(arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.out == ""

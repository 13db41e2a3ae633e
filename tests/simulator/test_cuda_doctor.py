"""`gigaplan doctor --gpu` in Numba's simulator: equality only, on few samples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kernels.backends import kernel
from kernels.cuda.checkup import timing
from kernels.cuda.checkup.equality import agreements
from kernels.cuda.checkup.memory_check import pattern_holds
from kernels.cuda.checkup.timing import Timing
from kernels.registry import KERNELS
from planner.bench import device, device_report
from planner.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def doctor(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--gpu", *map(str, words)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def one_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_report, "SIMULATED_LANES", (1,))


@pytest.mark.usefixtures("one_lane")
def test_every_kernel_is_compared_and_the_report_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    assert doctor("--out", file) == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["simulated"]
    assert report["is_sound"]
    assert {one["kernel"] for one in report["equality"]} == set(KERNELS)
    assert not report.keys() & {"device", "memory", "timings"}, "a simulator has no memory and no speed of its own"
    shown = capsys.readouterr()
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == shown.out
    assert "every kernel agrees with the plain loops on Numba's simulator (equality only" in shown.err


@pytest.mark.usefixtures("one_lane")
def test_a_kernel_that_differs_is_named_and_ends_with_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(name: str, backend: str) -> object:
        real = kernel(name, backend)

        def slack(model: object, load: object, result: object) -> None:
            real(model, load, result)
            if backend == "cuda":
                result[0, 0, 0] += 1  # type: ignore[index]

        return slack if name == "slack" else real

    monkeypatch.setattr("kernels.samples.calls.kernel", wrong)
    found = [one for one in agreements("cuda", (1,)) if one.fault is not None]
    assert [(one.kernel, one.n_lanes) for one in found] == [("slack", 1)]
    assert "gives another" in str(found[0].fault)
    assert doctor() == 1
    assert "is not to be trusted: kernel 'slack'" in capsys.readouterr().err


def test_what_a_device_is_timed_on_is_counted_and_search_says_its_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the clock, which a simulator has not: every call's bytes, and the form for a library problem."""
    monkeypatch.setattr(timing, "copy_bytes_per_s", lambda: 1e9)
    monkeypatch.setattr(timing, "timed", lambda call, n_lanes: Timing(call.kernel, n_lanes, 2.0, 1.0, 3))
    monkeypatch.setattr(device, "CAMPUSES", ("toy-profiles", "toy-contract"))
    monkeypatch.setattr(device, "LANES", (2,))
    found = device_report._speed(lambda _: None)
    assert {one["kernel"] for one in found["timings"]} == set(KERNELS) - {"construct"}
    assert {one["floats"] for one in found["timings"]} == {None, "float32", "float64"}
    for one in found["timings"]:
        assert one["n_bytes"] > 0
        assert one["share_of_roof"] == pytest.approx(one["n_bytes"] / 1e9 / 2.0)
    assert [(one["portfolio"], one["form"]) for one in found["search_forms"]] == [
        ("toy-profiles", "blocks"),
        ("toy-contract", "blocks"),
    ]


def test_the_pattern_of_the_memory_check_comes_back() -> None:
    assert pattern_holds(1000)

"""The report of `gigaplan doctor --gpu` without a GPU: what it counts, shows and leaves out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kernels.cuda.checkup import memory_check, timing
from kernels.cuda.checkup.device import device_facts
from kernels.cuda.checkup.equality import Agreement
from kernels.cuda.checkup.timing import Timing, timed
from kernels.home import HostHome
from kernels.registry import KERNELS
from kernels.samples.calls import Call, packing_calls, ran
from planner.bench import device_report
from planner.bench.device import campus_calls, library_problem, search_models
from planner.bench.device_report import against_roof, is_sound, shown
from planner.cli.doctor_gpu import check_gpu, report_text, verdict
from planner.cli.exits import Ended

EQUAL = {"kernel": "slack", "n_lanes": 3, "n_samples": 1, "fault": None}


def test_every_kernel_is_timed_on_a_campus_but_the_one_that_a_solve_calls_once() -> None:
    calls = list(campus_calls(library_problem("toy-profiles"), 2))
    assert {call.kernel for call in calls} == set(KERNELS) - {"construct"}
    for call in calls:
        if call.kernel != "hourly_year":  # a whole year takes the vectorised form some seconds
            ran(call, "numpy")
        assert all(part.flags.c_contiguous for part in call.arguments if isinstance(part, np.ndarray))


def test_models_are_those_that_search_is_given() -> None:
    [(name, model)] = search_models(library_problem("toy-profiles"))
    assert name == "all sites"
    assert model.entry_limit_idx.max() == model.capacity.shape[0] - 1, "aims are limits too"


def test_a_share_of_the_roof_is_bytes_over_time_over_bandwidth() -> None:
    call = next(call for call in packing_calls(2) if call.kernel == "slack")
    model, load, _ = call.arguments
    n_bytes = model.capacity.nbytes + 2 * load.nbytes
    found = against_roof(call, Timing("slack", 2, 4e-6, 3e-6, 20), n_bytes / 1e-6)
    assert (found["n_bytes"], found["floats"]) == (n_bytes, None)
    assert found["floor_s"] == pytest.approx(1e-6)
    assert found["share_of_roof"] == pytest.approx(0.25)
    failed = against_roof(call, Timing("slack", 2, None, None, 0, "no room"), 1e12)
    assert failed["share_of_roof"] is None


def test_times_are_medians_between_events_and_a_failure_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def benchmark(function: Any, arguments: Any, **options: Any) -> Any:
        function(*arguments)
        return SimpleNamespace(gpu_times=np.array([[5.0, 1.0, 2.0]]))

    monkeypatch.setitem(sys.modules, "cupyx", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "cupyx.profiler", SimpleNamespace(benchmark=benchmark))
    monkeypatch.setitem(sys.modules, "kernels.cuda.launch", SimpleNamespace(check=lambda: None))
    monkeypatch.setattr(timing, "home", lambda backend: HostHome())
    monkeypatch.setattr(timing, "kernel", lambda name, backend: {"good": lambda x: None}[name])
    assert timed(Call("good", (np.zeros(3),)), 7) == Timing("good", 7, 2.0, 1.0, 3)
    failed = timed(Call("bad", (np.zeros(3),)), 7)
    assert (failed.median_s, failed.fault) == (None, "KeyError: 'bad'")


class Pool:
    """CuPy's pool and runtime in one: 64 MiB free of 128."""

    held = 0

    def free_all_blocks(self) -> None:
        """Nothing is held."""

    def total_bytes(self) -> int:
        return self.held

    def memGetInfo(self) -> tuple[int, int]:  # noqa: N802 - CuPy's name
        return 2**26, 2**27


@pytest.mark.parametrize(("leaks", "gives"), [(False, False), (True, False), (False, True)])
def test_the_memory_check_finds_a_leak_and_memory_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, leaks: bool, gives: bool
) -> None:
    pool = Pool()

    def empty(n_bytes: int, dtype: Any) -> None:
        pool.held += leaks
        if not gives:
            raise MemoryError(f"{n_bytes} bytes")

    def holds(n: int) -> bool:
        pool.held += leaks
        return True

    fake = SimpleNamespace(get_default_memory_pool=lambda: pool, cuda=SimpleNamespace(runtime=pool))
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setattr(memory_check, "home", lambda backend: SimpleNamespace(xp=SimpleNamespace(empty=empty)))
    monkeypatch.setattr(memory_check, "pattern_holds", holds)
    found = memory_check.memory_check()
    assert (found.n_bytes, found.pool_freed) == (2**24, not leaks)
    assert found.refusal == (None if gives else f"{2**28} bytes")
    assert found.is_sound == (not leaks and not gives)


def test_a_device_tells_its_published_bandwidth(monkeypatch: pytest.MonkeyPatch) -> None:
    """2 transfers a clock × 2,619 MHz × 5,120 bits: the 3.35 TB/s of an H100 SXM."""
    properties = {
        "name": b"NVIDIA H100 80GB HBM3", "major": 9, "minor": 0, "multiProcessorCount": 132,
        "totalGlobalMem": 85 * 10**9, "l2CacheSize": 50 * 2**20, "sharedMemPerBlock": 48 * 1024,
    }  # fmt: skip
    runtime = SimpleNamespace(
        getDevice=lambda: 0, getDeviceProperties=lambda number: properties, driverGetVersion=lambda: 13000,
        runtimeGetVersion=lambda: 12090, deviceGetAttribute=lambda which, number: {36: 2_619_000, 37: 5120}[which],
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    found = device_facts()
    assert (found.name, found.compute_capability) == ("NVIDIA H100 80GB HBM3", "9.0")
    assert (found.driver_cuda, found.runtime_cuda) == ("13.0", "12.9")
    assert found.published_bytes_per_s == pytest.approx(3.35e12, rel=1e-3)


def test_the_text_holds_what_the_report_does() -> None:
    timed_slack = {
        "kernel": "slack", "floats": None, "n_lanes": 8, "median_s": 2e-3, "fault": None, "n_bytes": 1_000_000,
        "floor_s": 5e-4, "share_of_roof": 0.25,
    }  # fmt: skip
    failed = timed_slack | {"kernel": "strip", "median_s": None, "share_of_roof": None, "fault": "no room"}
    report: dict[str, Any] = {
        "simulated": False, "stage_faults": {}, "versions": {"numba": "0.68.1", "cupy-cuda12x": None},
        "equality": [EQUAL], "equality_of_long_plans": [EQUAL],
        "device": {"name": "H100", "published_bytes_per_s": 3.35e12}, "memory": {"n_bytes": 1, "is_sound": True},
        "copy_bytes_per_s": 2.9e12, "timings": [timed_slack, failed], "is_sound": True,
        "search_forms": [{"portfolio": "reference-1gw", "sites": "all sites", "form": "blocks", "detail": 12_345}],
    }  # fmt: skip
    text = report_text(report)
    for part in ("H100", "not installed", "2,900 GB/s (published 3,350 GB/s)", "2.000", "25%", "no room", "12345"):
        assert part in text
    assert [title.split()[0] for title, *_ in shown(report)] == [
        "Device", "Versions", "Equality", "Equality", "Memory", "Times", "How",
    ]  # fmt: skip
    assert verdict(report) == "every kernel agrees with the plain loops on the device"
    unsound = report | {"memory": {"is_sound": False}}
    assert not is_sound(unsound)
    assert "its memory does not do as it must" in verdict(unsound | {"is_sound": False})
    wrong = report | {"equality_of_long_plans": [EQUAL | {"fault": "kernel 'slack' differs"}]}
    assert not is_sound(wrong)
    assert "kernel 'slack' differs" in verdict(wrong | {"is_sound": False})
    failed_stage = report | {"stage_faults": {"speed": "KeyError: 'x'"}, "is_sound": False}
    assert not is_sound(failed_stage)
    assert "KeyError: 'x'" in verdict(failed_stage)
    assert "KeyError: 'x'" in report_text(failed_stage)


def test_a_stage_that_fails_leaves_the_others_and_no_home_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(tell: Any) -> dict[str, Any]:
        raise OSError(f"{Path.home()}/lib/libcudart.so is missing")

    def find(tell: Any) -> dict[str, Any]:
        return {"device": {"name": "H100"}}

    monkeypatch.setattr("kernels.backends.resolve", lambda backend: backend)
    monkeypatch.setattr(device_report, "simulated", lambda: False)
    monkeypatch.setattr(device_report, "agreements", lambda backend, lanes: iter([Agreement("slack", 1, 1, None)]))
    monkeypatch.setattr(device_report, "long_agreements", lambda backend: iter([Agreement("search", 5, 1, None)]))
    monkeypatch.setattr(device_report, "_hardware", find)
    monkeypatch.setattr(device_report, "_speed", fail)
    with pytest.raises(Ended) as ended:
        check_gpu(tmp_path / "report.json", as_json=False)
    assert ended.value.code == 1
    written = (tmp_path / "report.json").read_text(encoding="utf-8") + (tmp_path / "report.txt").read_text()
    assert str(Path.home()) not in written
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["stage_faults"] == {"speed": "OSError: ~/lib/libcudart.so is missing"}
    assert report["device"] == {"name": "H100"}
    assert "~/lib/libcudart.so is missing" in capsys.readouterr().err

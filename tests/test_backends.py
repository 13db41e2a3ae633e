"""Which backends run here and why not, and that arrays of the wrong memory are refused by name."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernels import backends
from kernels.backends import BACKENDS, BackendError, home, kernel, resolve, why_not
from kernels.cuda import presence
from kernels.cuda.self_test import disagreement
from kernels.home import HostHome
from kernels.plans import empty_state
from kernels.registry import KERNELS
from kernels.samples.calls import LANES, ran, sample_calls
from kernels.samples.packing import CaseShape, make_case

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
MODEL = make_case(CaseShape(2, (2, 1), (2,), 2, partial_units=True, contract=True, heavy=False)).model


class Driver:
    """A driver library that answers as told."""

    def __init__(self, version: int, n_devices: int, status: int = 0) -> None:
        self._version, self._n_devices, self._status = version, n_devices, status

    def cuDriverGetVersion(self, where: Any) -> int:  # noqa: N802
        where._obj.value = self._version
        return 0

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return self._status

    def cuDeviceGetCount(self, where: Any) -> int:  # noqa: N802
        where._obj.value = self._n_devices
        return 0


def without(*packages: str) -> Callable[[str], Any]:
    return lambda name: None if name in packages else SimpleNamespace()


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Callable[[Driver | None], None]:
    """Puts a driver, or none, in place of this machine's."""
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    return lambda found: monkeypatch.setattr(presence, "_driver", lambda: found)


def packages_missing(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    monkeypatch.setattr(presence.importlib.util, "find_spec", without(*packages))


def test_without_driver_and_packages_all_reasons_are_given(monkeypatch: pytest.MonkeyPatch, driver: Any) -> None:
    driver(None)
    packages_missing(monkeypatch, "numba_cuda", "cupy")
    assert why_not("cuda") == (
        "no NVIDIA driver was found; numba-cuda and CuPy are not installed: pip install 'gigaplan[cuda13]' (NVIDIA "
        "driver 580 or later) or 'gigaplan[cuda12]' (driver 525 or later)"
    )
    with pytest.raises(BackendError, match="no NVIDIA driver"):
        resolve("cuda")
    with pytest.raises(BackendError, match="no NVIDIA driver"):
        home("cuda")


@pytest.mark.parametrize(("version", "extra"), [(12090, "cuda12"), (13000, "cuda13"), (13050, "cuda13")])
@pytest.mark.parametrize(("package", "named"), [("numba_cuda", "numba-cuda is"), ("cupy", "CuPy is")])
def test_the_driver_decides_which_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, driver: Any, version: int, extra: str, package: str, named: str
) -> None:
    driver(Driver(version, 1))
    packages_missing(monkeypatch, package)
    assert why_not("cuda") == f"{named} not installed: pip install 'gigaplan[{extra}]'"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Driver(13000, 0), "finds no device"),
        (Driver(13000, 1, status=100), "finds no device"),
        (Driver(13000, 1, status=803), "does not start (CUresult 803)"),
        (None, "no NVIDIA driver was found"),
    ],
)
def test_a_driver_without_a_device_is_told_from_none(
    monkeypatch: pytest.MonkeyPatch, driver: Any, found: Driver | None, reason: str
) -> None:
    driver(found)
    packages_missing(monkeypatch)
    assert reason in (why_not("cuda") or "")


def test_numba_cuda_without_its_runtime_library_is_a_reason(monkeypatch: pytest.MonkeyPatch, driver: Any) -> None:
    """It raises a RuntimeError, not an ImportError."""

    def no_runtime(name: str) -> None:
        msg = "Failure finding\n libcudart.so"
        raise RuntimeError(msg)

    driver(Driver(12090, 1))
    packages_missing(monkeypatch)
    monkeypatch.setattr(presence.importlib, "import_module", no_runtime)
    presence._import_fault.cache_clear()
    found = why_not("cuda") or ""
    presence._import_fault.cache_clear()
    assert found == (
        "CUDA's libraries do not load (RuntimeError: Failure finding libcudart.so): pip install 'gigaplan[cuda12]'"
    )


def test_without_numba_there_is_no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends.importlib.util, "find_spec", without("numba"))
    assert why_not("cuda") == "the package numba is not installed"


@pytest.mark.parametrize(("verdict", "chosen"), [(None, "cuda"), ("kernel 'loads' gives another 'load'", "numba")])
def test_auto_takes_cuda_only_after_the_self_test(
    monkeypatch: pytest.MonkeyPatch, driver: Any, verdict: str | None, chosen: str
) -> None:
    driver(Driver(13000, 1))
    monkeypatch.setattr(presence, "why_not", lambda: None)
    monkeypatch.setattr("kernels.cuda.self_test.self_test", lambda: verdict)
    assert resolve("auto") == chosen
    assert resolve("cuda") == "cuda"
    assert backends.why_not_auto("cuda") == verdict


def test_the_simulator_runs_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    packages_missing(monkeypatch, "cupy")
    assert resolve("cuda") == "cuda"
    assert resolve("auto") == "numba"
    assert "only where --backend cuda asks for it" in (backends.why_not_auto("cuda") or "")


def test_an_unknown_backend_names_the_others() -> None:
    assert why_not("vulkan") == "there is no backend 'vulkan'; choose one of auto, cuda, numba, numpy"


HIDDEN = """
import sys, importlib.util, importlib.metadata
hidden = ("numba_cuda", "cupy", "cupyx", "cupy_backends", "cuda", "nvidia")
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hide())
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name.partition(".")[0] in hidden else find_spec(name, *rest)
import planner, sites, kernels.registry
from kernels.backends import BACKENDS, kernel, resolve, why_not
assert "numba-cuda and CuPy are not installed" in why_not("cuda"), why_not("cuda")
assert resolve("auto") == "numba"
assert all(callable(kernel(name, backend)) for name in kernels.registry.KERNELS for backend in ("numba", "numpy"))
assert not [name for name in sys.modules if name.startswith(hidden[:3]) or name.startswith("kernels.cuda.api")]
from planner.cli.main import main
main(["doctor"])
"""


def test_everything_but_cuda_works_without_its_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "backend cuda" in done.stdout
    assert "does not run" in done.stdout


class OnDevice(np.ndarray[Any, np.dtype[Any]]):
    """What passes for an array of a device."""

    __cuda_array_interface__ = None


HOST_BACKENDS = ["reference", *(name for name in BACKENDS if name != "cuda" and why_not(name) is None)]


@pytest.mark.parametrize("backend", HOST_BACKENDS)
@pytest.mark.parametrize("place", ["model.capacity", "load", "result"])
def test_host_kernels_refuse_arrays_of_the_device(backend: str, place: str) -> None:
    load = empty_state(MODEL, 2).slack
    arguments = {"model": MODEL, "load": load, "result": load.copy()}
    if place == "model.capacity":
        arguments["model"] = MODEL._replace(capacity=MODEL.capacity.view(OnDevice))
    else:
        arguments[place] = arguments[place].view(OnDevice)
    words = f"kernel 'slack' on backend {backend}: argument '{place}' lies in the device's memory"
    with pytest.raises(TypeError, match=words):
        kernel("slack", backend)(*arguments.values())
    with pytest.raises(TypeError, match=words):
        kernel("slack", backend)(**arguments)


@pytest.mark.parametrize("backend", HOST_BACKENDS)
def test_arrays_of_the_host_stay_where_they_are(backend: str) -> None:
    there = home(backend)
    assert isinstance(there, HostHome)
    assert there.put(MODEL) is MODEL
    assert there.get(MODEL) is MODEL


def test_every_kernel_has_a_form_for_every_backend() -> None:
    """By the syntax tree, since importing a form for the device needs Numba's CUDA."""
    for spec in KERNELS.values():
        for place in (spec.reference, spec.vectorised, spec.cuda):
            module, function = place.split(":")
            tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
            assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, place


def test_samples_call_every_kernel_and_change_what_it_writes() -> None:
    """A self-test would prove little if its calls left everything as it was."""
    seen = set()
    for call in sample_calls((2,)):
        assert any(
            (before != after).any()
            for before, after in zip(arrays(call.arguments), arrays(ran(call, "reference")), strict=True)
        ), call.kernel
        seen.add(call.kernel)
    assert seen == KERNELS.keys()


def arrays(value: Any) -> list[Any]:
    if isinstance(value, tuple):
        return [one for part in value for one in arrays(part)]
    return [value] if isinstance(value, np.ndarray) else []


@pytest.mark.parametrize("n_lanes", LANES)
def test_the_vectorised_forms_pass_the_self_test(n_lanes: int) -> None:
    for call in sample_calls((n_lanes,)):
        assert disagreement(call, "numpy") is None

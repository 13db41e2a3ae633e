"""The report of `gigaplan doctor --gpu`: what a device is, whether it agrees, what it takes, against its own roof."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kernels.cuda.checkup.equality import LANES, agreements, long_agreements
from kernels.cuda.presence import simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kernels.cuda.checkup.timing import Timing
    from kernels.samples.calls import Call

FORMAT = "gigaplan-gpu-report/1"
HOLDS = (
    "versions of packages, driver and CUDA; the processor's system, architecture, cores and memory; the GPU's model "
    "and sizes; results and times of the checks. No name of a person or machine, no home folder, address or serial "
    "number."
)
"""What a report holds and what it does not, as it says itself."""
SIMULATED_LANES = (1, 3)


def device_report(tell: Callable[[str], None]) -> dict[str, Any]:
    """Check and time the device; in Numba's simulator only equality is asked.

    Parameters: tell, called with each stage. Raises BackendError when the backend cuda does not run here.
    """
    from kernels.backends import resolve
    from kernels.cuda.checkup.device import package_versions
    from planner.run.manifest import machine, versions

    resolve("cuda")
    report: dict[str, Any] = {
        "format": FORMAT,
        "holds": HOLDS,
        "simulated": simulated(),
        "versions": versions() | package_versions(),
        "machine": machine(),
    }
    report["stage_faults"] = {}
    if not simulated():
        _add(report, "hardware", _hardware, tell)
    tell("equality of every kernel with the plain loops")
    report["equality"] = [asdict(one) for one in agreements("cuda", SIMULATED_LANES if simulated() else LANES)]
    if not simulated():
        report["equality_of_long_plans"] = [asdict(one) for one in long_agreements("cuda")]
        _add(report, "speed", _speed, tell)
    report["is_sound"] = is_sound(report)
    return report


def _add(
    report: dict[str, Any], stage: str, found: Callable[[Callable[[str], None]], dict[str, Any]],
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Add what a stage finds; one that fails is named with its error, and the others go on."""
    try:
        report |= found(tell)
    except Exception as error:  # noqa: BLE001 - whoever has the device may not have it twice
        report["stage_faults"][stage] = f"{type(error).__name__}: {' '.join(str(error).split())}"


def compared(report: dict[str, Any]) -> list[dict[str, Any]]:
    """How every sample came out, those of long plans last."""
    return [*report["equality"], *report.get("equality_of_long_plans", ())]


def is_sound(report: dict[str, Any]) -> bool:
    """Whether every kernel agrees, the memory does as it must, and no stage failed."""
    memory = report.get("memory")
    agrees = all(one["fault"] is None for one in compared(report))
    return agrees and not report["stage_faults"] and (memory is None or bool(memory["is_sound"]))


def _hardware(tell: Callable[[str], None]) -> dict[str, Any]:
    from kernels.cuda.checkup.device import device_facts
    from kernels.cuda.checkup.memory_check import memory_check

    tell("memory of the device")
    memory = memory_check()
    return {"device": asdict(device_facts()), "memory": asdict(memory) | {"is_sound": memory.is_sound}}


def _speed(tell: Callable[[str], None]) -> dict[str, Any]:
    from kernels.cuda.checkup.timing import copy_bytes_per_s, timed
    from planner.bench.device import CAMPUSES, LANES, campus_calls, library_problem

    tell("bandwidth of a copy")
    copied = copy_bytes_per_s()
    timings, forms = [], []
    for name in CAMPUSES:
        tell(f"form of the search on {name}")
        problem = library_problem(name)
        forms += list(_search_forms(name, problem))
        if name != CAMPUSES[0]:
            continue
        for n_lanes in LANES:
            tell(f"times on {name}, {n_lanes} lanes")
            timings += [against_roof(call, timed(call, n_lanes), copied) for call in campus_calls(problem, n_lanes)]
    return {"copy_bytes_per_s": copied, "timings": timings, "search_forms": forms}


def against_roof(call: Call, timing: Timing, copy_bytes_per_s: float) -> dict[str, Any]:
    """A timing beside the least that its bytes take at the bandwidth of a copy.

    The share of the roof is bytes counted from the arrays, each once, over the median, over that bandwidth; it may pass
    1 where arrays stay in a cache. Parameters: call, with the arguments that were timed.
    """
    from kernels.work_counts import counted

    work = counted(call.kernel, call.arguments)
    floats = next((str(part.dtype) for part in _arrays(call.arguments) if part.dtype.kind == "f"), None)
    found = asdict(timing) | {"floats": floats, "n_bytes": work.n_bytes, "n_operations": work.n_operations}
    found["floor_s"] = work.n_bytes / copy_bytes_per_s
    found["share_of_roof"] = None if timing.median_s is None else found["floor_s"] / timing.median_s
    return found


def _arrays(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for part in value:
            yield from _arrays(part)
    elif hasattr(value, "dtype"):
        yield value


def _search_forms(name: str, problem: Any) -> Iterator[dict[str, Any]]:
    """Whether search keeps what a refill touches in a block's shared memory, or runs one thread for each lane."""
    from kernels.cuda.search import search_form
    from planner.bench.device import search_models

    for site, model in search_models(problem):
        form, detail = search_form(model)
        yield {"portfolio": name, "sites": site, "form": form, "detail": detail}


def shown(report: dict[str, Any]) -> Iterator[tuple[str, Sequence[str], list[tuple[object, ...]]]]:
    """The report as tables for a reader: title, headings and lines of each."""
    device = report.get("device")
    if device is not None:
        yield "Device", ("what", "found"), _lines(device)
    yield "Versions", ("package", "version"), _lines(report["versions"], "not installed")
    columns = ("kernel", "lanes", "samples", "result")
    yield "Equality with the plain loops", columns, _equality_lines(report["equality"])
    if "equality_of_long_plans" in report:
        title = "Equality where search runs one thread for each lane"
        yield title, columns, _equality_lines(report["equality_of_long_plans"])
    if report["stage_faults"]:
        yield "Stages that failed", ("stage", "error"), _lines(report["stage_faults"])
    memory = report.get("memory")
    if memory is not None:
        yield "Memory", ("what", "found"), _lines(memory)
    if "timings" in report:
        yield (
            _roof_title(report),
            ("kernel", "floats", "lanes", "median ms", "bytes", "floor ms", "of roof"),
            [_timing_line(one) for one in report["timings"]],
        )
        yield (
            "How the search would run",
            ("portfolio", "sites", "form", "why"),
            [(one["portfolio"], one["sites"], one["form"], one["detail"]) for one in report["search_forms"]],
        )


def _equality_lines(found: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [(one["kernel"], one["n_lanes"], one["n_samples"], one["fault"] or "equal") for one in found]


def _lines(found: dict[str, Any], without: str = "unknown") -> list[tuple[object, ...]]:
    return [(name.replace("_", " "), without if value is None else value) for name, value in found.items()]


def _roof_title(report: dict[str, Any]) -> str:
    published = report["device"]["published_bytes_per_s"]
    beside = "published bandwidth unknown" if published is None else f"published {published / 1e9:,.0f} GB/s"
    return f"Times against the roof of a copy, {report['copy_bytes_per_s'] / 1e9:,.0f} GB/s ({beside})"


def _timing_line(one: dict[str, Any]) -> tuple[object, ...]:
    name = (one["kernel"], one["floats"] or "", one["n_lanes"])
    if one["median_s"] is None:
        return (*name, one["fault"], f"{one['n_bytes']:,}", "", "")
    share = f"{one['share_of_roof']:.0%}"
    return (*name, f"{one['median_s'] * 1e3:.3f}", f"{one['n_bytes']:,}", f"{one['floor_s'] * 1e3:.3f}", share)

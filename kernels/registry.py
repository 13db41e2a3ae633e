"""Every kernel by name: its reference and where each backend finds its form of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KernelSpec:
    """One kernel: `module:function` of the plain-loop reference, of the vectorised form, and of the device's."""

    name: str
    reference: str
    vectorised: str
    cuda: str
    writes: str
    """What the kernel changes in place."""


def _in(module: str, name: str, writes: str) -> KernelSpec:
    """A kernel of that name in the module of that name of every backend."""
    loops, vectorised, cuda = (f"kernels.{form}.{module}:{name}" for form in ("loops", "vectorised", "cuda"))
    return KernelSpec(name, loops, vectorised, cuda, writes)


KERNELS: dict[str, KernelSpec] = {
    spec.name: spec
    for spec in (
        _in("loads", "loads", "load"),
        _in("loads", "slack", "result"),
        _in("value", "plan_value", "state"),
        _in("first_order", "first_order_steps", "state"),
        _in("first_order", "first_order_errors", "errors"),
        _in("first_order", "first_order_squares", "total"),
        _in("first_order", "first_order_gain", "result"),
        _in("first_order", "first_order_load", "result"),
        _in("profiles", "strip", "state"),
        _in("profiles", "raise_profiles", "state"),
        _in("search", "construct", "state"),
        _in("search", "search", "state"),
        _in("scenarios", "search_scenarios", "states"),
        _in("scenarios", "raise_scenarios", "states"),
        _in("hourly", "hourly_year", "result"),
    )
}

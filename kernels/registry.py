"""Every kernel by name: its reference and where each backend finds its form of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KernelSpec:
    """One kernel: `module:function` of the plain-loop reference and of the vectorised form."""

    name: str
    reference: str
    vectorised: str
    writes: str
    """What the kernel changes in place."""


KERNELS: dict[str, KernelSpec] = {
    spec.name: spec
    for spec in (
        KernelSpec("loads", "kernels.loops.loads:loads", "kernels.vectorised.loads:loads", "load"),
        KernelSpec("slack", "kernels.loops.loads:slack", "kernels.vectorised.loads:slack", "result"),
        KernelSpec("plan_value", "kernels.loops.value:plan_value", "kernels.vectorised.value:plan_value", "state"),
        KernelSpec(
            "first_order_steps",
            "kernels.loops.first_order:first_order_steps",
            "kernels.vectorised.first_order:first_order_steps",
            "state",
        ),
        KernelSpec(
            "first_order_errors",
            "kernels.loops.first_order:first_order_errors",
            "kernels.vectorised.first_order:first_order_errors",
            "errors",
        ),
        KernelSpec(
            "first_order_gain",
            "kernels.loops.first_order:first_order_gain",
            "kernels.vectorised.first_order:first_order_gain",
            "result",
        ),
        KernelSpec(
            "first_order_load",
            "kernels.loops.first_order:first_order_load",
            "kernels.vectorised.first_order:first_order_load",
            "result",
        ),
        KernelSpec("strip", "kernels.loops.profiles:strip", "kernels.vectorised.profiles:strip", "state"),
        KernelSpec(
            "raise_profiles",
            "kernels.loops.profiles:raise_profiles",
            "kernels.vectorised.profiles:raise_profiles",
            "state",
        ),
        KernelSpec("construct", "kernels.loops.search:construct", "kernels.vectorised.search:construct", "state"),
        KernelSpec("search", "kernels.loops.search:search", "kernels.vectorised.search:search", "state"),
        KernelSpec(
            "hourly_year", "kernels.loops.hourly:hourly_year", "kernels.vectorised.hourly:hourly_year", "result"
        ),
    )
}

"""Throughput curves against the rest of the catalogue: every system and profile is known, every curve stands once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.nearest import unknown
from sites.schema.throughput import RatedPer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sites.explain import Step
    from sites.faults import Fault
    from sites.loading import Document
    from sites.schema.catalog import CatalogFile, RackSystem
    from sites.schema.throughput import ThroughputBasis, ThroughputCurve


def throughput_faults(document: Document[CatalogFile], systems: Mapping[str, RackSystem]) -> Iterator[Fault]:
    """Every fault of a file's throughput bases that shows only beside the rack systems of the whole catalogue."""
    for index, basis in enumerate(document.value.throughput):
        for message, path in _basis_faults(basis, systems):
            yield document.fault(message, "throughput", index, "curves", *path)


def _basis_faults(basis: ThroughputBasis, systems: Mapping[str, RackSystem]) -> Iterator[tuple[str, tuple[Step, ...]]]:
    seen = [curve.configuration for curve in basis.curves]
    for index, curve in enumerate(basis.curves):
        for message, key in _curve_faults(curve, systems):
            yield message, (index, key)
        if curve.configuration in seen[:index]:
            message = (
                f"this basis has a curve of '{curve.system}' with this profile and software already; join their "
                "points, or say in 'software' how they differ"
            )
            yield message, (index, "software")


def _curve_faults(curve: ThroughputCurve, systems: Mapping[str, RackSystem]) -> Iterator[tuple[str, str]]:
    """Message and key of each fault of one curve."""
    system = systems.get(curve.system)
    if curve.outside_catalogue is not None:
        if system is not None:
            yield f"'{curve.system}' is a rack system of the catalogue; remove this key", "outside_catalogue"
        return
    if system is None:
        hint = "for one that is not to be planned with say why in 'outside_catalogue'"
        yield f"{unknown('rack system', curve.system, systems)}; {hint}", "system"
        return
    profiles = [profile.name for profile in system.profiles]
    if curve.profile is not None and curve.profile not in profiles:
        yield unknown(f"profile of '{system.name}'", curve.profile, profiles), "profile"
    if curve.per is not RatedPer.RACK and system.gpu_packages.value is None:
        message = f"'{system.name}' has no known 'gpu_packages', so a rate for a {curve.per} gives none for a rack"
        yield f"{message}; give the rate of a rack", "per"

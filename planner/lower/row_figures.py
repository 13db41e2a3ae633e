"""What a row offers a rack: as it stands, or once one of its conversions is made (section 5 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from sites.schema.lineup import Conversion, Taps


@dataclass(frozen=True)
class RowFigures:
    """The figures that a conversion may replace."""

    taps: Taps
    """Of one feed."""
    port_kinds: frozenset[str]
    floor_point_kg_per_m2: Fraction
    floor_kg: int | None
    """What the floor of the whole row carries; None where the limit on the floor alone asks."""

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal figures; taps are told apart by identity, which rows of one lineup share."""
        return id(self.taps), self.port_kinds, self.floor_point_kg_per_m2, self.floor_kg


def figures_as_it_stands(fields: Mapping[str, Any]) -> RowFigures:
    """What a row offers without any conversion.

    Parameters: fields of the row in the containment graph. The weight of one rack is asked only where a conversion
    could help.
    """
    uniform = fields["floor_uniform_kg_per_m2"]
    return RowFigures(
        taps=fields["taps"],
        port_kinds=fields["port_kinds"],
        floor_point_kg_per_m2=fields["floor_point_kg_per_m2"],
        floor_kg=floor(uniform * fields["floor_area_m2"]) if fields["conversions"] else None,
    )


def figures_converted(fields: Mapping[str, Any], number: int) -> RowFigures:
    """What a row offers once its conversion of this number (from 0) is made; figures that it does not give stay."""
    conversion: Conversion = fields["conversions"][number]
    uniform = floor_uniform_kg_per_m2(fields, conversion)
    point = conversion.floor_point
    return RowFigures(
        taps=fields["taps"] if conversion.taps is None else conversion.taps,
        port_kinds=fields["conversion_port_kinds"][number],
        floor_point_kg_per_m2=fields["floor_point_kg_per_m2"] if point is None else point,
        floor_kg=floor(uniform * fields["floor_area_m2"]),
    )


def floor_uniform_kg_per_m2(fields: Mapping[str, Any], conversion: Conversion | None) -> Fraction:
    """The uniform rating of a row's floor under a conversion, or as it stands."""
    own: Fraction = fields["floor_uniform_kg_per_m2"]
    return own if conversion is None or conversion.floor_uniform is None else conversion.floor_uniform

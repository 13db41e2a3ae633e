"""What each row pulls on besides its own feeds: headers, plants, pumps and fans, support gear, ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sites.expansion import SiteGraphs

ZERO = Fraction(0)
ONE = Fraction(1)


@dataclass(frozen=True)
class Drive:
    """A mechanical load that a row's heat drives: electric watts at `node` for each watt of heat."""

    node: str
    watts_per_liquid_watt: Fraction
    watts_per_air_watt: Fraction


@dataclass(frozen=True)
class RowCouplings:
    """The nodes of other graphs that a row depends on."""

    row: str
    liquid_header: str | None
    air_header: str | None
    liquid_plants: dict[str, Fraction]
    """Share of the row's liquid heat that each plant takes."""
    air_plants: dict[str, Fraction]
    drives: tuple[Drive, ...]
    """Mechanical loads that draw something for its heat."""
    machinery: frozenset[str]
    """Every mechanical node of its loops and plants, whatever it draws."""
    support: str | None
    fan_watts_per_air_watt: Fraction
    """Heat that the row's own air handlers add to each watt of air heat."""

    @property
    def needs(self) -> frozenset[str]:
        """Mechanical and support nodes of the power graph without which the row cannot run."""
        return self.machinery | ({self.support} if self.support else frozenset())


@dataclass
class _Heat:
    """Share of one medium's heat that reaches each cooling node."""

    header: str | None = None
    share: dict[str, Fraction] = field(default_factory=dict)


def couple(graphs: SiteGraphs) -> dict[str, RowCouplings]:
    """The couplings of every row of a site by row id."""
    mechanical: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    support: dict[str, str] = {}
    for node, fields in graphs.power.nodes(data=True):
        if fields["kind"] == "mechanical":
            mechanical.setdefault(fields["loop"], []).append((node, fields))
        elif fields["kind"] == "support":
            support[fields["block_id"]] = node
    heats: dict[str, dict[str, Fraction]] = {}
    return {
        row: _couple_row(graphs, row, fields, mechanical, support, heats)
        for row, fields in graphs.containment.nodes(data=True)
        if fields["kind"] == "row"
    }


def _couple_row(
    graphs: SiteGraphs,
    row: str,
    fields: dict[str, Any],
    mechanical: dict[str, list[tuple[str, dict[str, Any]]]],
    support: dict[str, str],
    heats: dict[str, dict[str, Fraction]],
) -> RowCouplings:
    liquid, air = _heat(graphs, row, "liquid", heats), _heat(graphs, row, "air", heats)
    drives = []
    machinery: set[str] = set()
    for loop in sorted(set(liquid.share) | set(air.share)):
        for node, load in mechanical.get(loop, ()):
            machinery.add(node)
            per_liquid = liquid.share.get(loop, ZERO) * load["watts_per_liquid_watt"]
            per_air = air.share.get(loop, ZERO) * load["watts_per_air_watt"]
            if per_liquid or per_air:
                drives.append(Drive(node, per_liquid, per_air))
    fans = sum((drive["watts_per_air_watt"] for _, drive in mechanical.get(air.header or "", ())), start=ZERO)
    return RowCouplings(
        row=row,
        liquid_header=liquid.header,
        air_header=air.header,
        liquid_plants=_plants(graphs, liquid.share),
        air_plants=_plants(graphs, air.share),
        drives=tuple(drives),
        machinery=frozenset(machinery),
        support=support.get(fields["block_id"]),
        fan_watts_per_air_watt=fans,
    )


def _heat(graphs: SiteGraphs, row: str, medium: str, heats: dict[str, dict[str, Fraction]]) -> _Heat:
    """Walk up from a row along one medium; shares as on the edges, all units standing.

    Parameters: heats, shares by header as far as they are known, added to; rows of a header share them.
    """
    heat = _Heat()
    for header, _, edge in graphs.cooling.in_edges(row, data=True):
        if edge.get("medium") == medium:
            heat.header = header
            if header not in heats:
                _collect(graphs, header, ONE, heats.setdefault(header, {}))
            for node, share in heats[header].items():
                heat.share[node] = heat.share[node] + share if node in heat.share else share
    return heat


def _collect(graphs: SiteGraphs, node: str, share: Fraction, shares: dict[str, Fraction]) -> None:
    shares[node] = shares.get(node, ZERO) + share
    if graphs.cooling.nodes[node]["kind"] == "plant":
        return
    for source, _, edge in graphs.cooling.in_edges(node, data=True):
        _collect(graphs, source, share * edge["share"], shares)


def _plants(graphs: SiteGraphs, shares: dict[str, Fraction]) -> dict[str, Fraction]:
    return {node: share for node, share in shares.items() if graphs.cooling.nodes[node]["kind"] == "plant"}

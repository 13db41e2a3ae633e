"""The floor map: every hall's lineups and rows, each row a strip of positions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.words import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.graphs import Graph, SiteGraphs


@dataclass(frozen=True)
class Row:
    """A row in the last decision quarter; `counts` are racks by configuration."""

    name: str
    title: str
    key: str
    positions: int
    counts: tuple[int, ...]
    empty: int
    occupied: int


@dataclass(frozen=True)
class LineupCard:
    """A lineup with its rows."""

    name: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Hall:
    """A hall with its lineups."""

    name: str
    note: str
    lineups: tuple[LineupCard, ...]


@dataclass(frozen=True)
class SiteFloor:
    """The halls of a site; buildings that are not ours to fill are only named."""

    site: str
    title: str
    halls: tuple[Hall, ...]
    elsewhere: tuple[str, ...]


@dataclass(frozen=True)
class FloorHistory:
    """What the quarter slider needs: for each row the quarters in which its racks change."""

    periods: tuple[str, ...]
    rows: dict[str, list[tuple[int, list[int]]]]


Standing = dict[str, list[list[int]]]
"""`site:row` to racks by configuration in each period."""


def standing_racks(document: Mapping[str, Any], configurations: Sequence[str]) -> Standing:
    """Racks of every row that ever holds some, by configuration, in each period."""
    period_idx = {name: index for index, name in enumerate(document["periods"])}
    column = {name: index for index, name in enumerate(configurations)}
    empty = [0] * len(configurations)
    standing: Standing = defaultdict(lambda: [list(empty) for _ in period_idx])
    for one in document["placements"]:
        counts = standing[f"{one['site']}:{one['row']}"][period_idx[one["period"]]]
        counts[column[one["configuration"]]] = one["n_racks"]
    return dict(standing)


def history(document: Mapping[str, Any], standing: Standing) -> FloorHistory:
    """Changes of every row over the decision quarters."""
    rows: dict[str, list[tuple[int, list[int]]]] = {}
    for name, by_period in standing.items():
        changes: list[tuple[int, list[int]]] = []
        for t, counts in enumerate(by_period):
            if (changes[-1][1] if changes else [0] * len(counts)) != counts:
                changes.append((t, counts))
        rows[name] = changes
    return FloorHistory(tuple(document["periods"]), rows)


def site_floor(
    site: str, title: str, graphs: SiteGraphs, standing: Standing, configurations: Sequence[str], ours: Sequence[str]
) -> SiteFloor:
    """The floor of one site in the last decision quarter.

    Parameters: site and title; graphs; standing racks; configurations, in order of their colours; ours, ids of the
    buildings that the portfolio may fill.
    """
    tree = graphs.containment
    halls: list[Hall] = []
    elsewhere: list[str] = []
    for building in _children(tree, "campus"):
        fields = tree.nodes[building]
        if building not in ours:
            elsewhere.append(building)
            continue
        for hall in _children(tree, building):
            cards = [_card(tree, site, lineup, standing, configurations) for lineup in _children(tree, hall)]
            racks = sum(sum(row.counts) for card in cards for row in card.rows)
            note = f"{_storey(tree, hall)}in service {fields['in_service']} ({_binding(fields)}), {count(racks)} racks"
            halls.append(Hall(hall, note, tuple(cards)))
    return SiteFloor(site, title, tuple(halls), tuple(elsewhere))


def _storey(tree: Graph, hall: str) -> str:
    """The storey that a hall is on, where the site names it."""
    rows = (tree.nodes[row] for lineup in _children(tree, hall) for row in _children(tree, lineup))
    storey = next((row["storey"] for row in rows if row["storey"] is not None), None)
    return "" if storey is None else f"storey {storey}, "


def _binding(fields: Mapping[str, Any]) -> str:
    """Which part of the date is latest."""
    binding = fields.get("binding_date")
    return f"waits for {binding}" if binding else "no date binds"


def _children(tree: Graph, node: str) -> list[str]:
    return list(tree.successors(node)) if node in tree else []


def _card(tree: Graph, site: str, lineup: str, standing: Standing, configurations: Sequence[str]) -> LineupCard:
    fields = tree.nodes[lineup]
    rows = tuple(_row(tree, site, row, standing, configurations) for row in _children(tree, lineup))
    racks = sum(sum(row.counts) for row in rows)
    title = f"{lineup}: template {fields['template']}, in service {fields['in_service']}, {count(racks)} racks"
    return LineupCard(lineup.rpartition("/")[2], title, rows)


def _row(tree: Graph, site: str, row: str, standing: Standing, configurations: Sequence[str]) -> Row:
    fields = tree.nodes[row]
    key = f"{site}:{row}"
    counts = tuple(standing[key][-1]) if key in standing else (0,) * len(configurations)
    occupied = int(fields["occupied_racks"])
    empty = max(int(fields["positions"]) - sum(counts) - occupied, 0)
    named = ", ".join(f"{n} × {name}" for n, name in zip(counts, configurations, strict=True) if n)
    taken = f", {occupied} × {fields['occupied_configuration']} of {fields['occupied_owner']}" if occupied else ""
    title = f"{row}: {named or 'no rack of the plan'}{taken}, {empty} of {fields['positions']} positions empty"
    return Row(row.rpartition("/")[2], title, key, int(fields["positions"]), counts, empty, occupied)

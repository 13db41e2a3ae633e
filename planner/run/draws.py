"""What configurations and rows draw, in whole watts, by section 3 of the model."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.run.binding import RowRoom
from planner.run.flow import RowDraw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from planner.problem import Problem
    from sites.catalog.loader import Catalog
    from sites.expansion.graphs import Graph, SiteGraphs


def configuration_draw(catalog: Catalog, name: str) -> RowDraw:
    """Draw of one rack of a configuration, each part rounded up to whole watts."""
    profile = catalog.configuration(name).profile
    sustained, liquid_share, support = (
        profile.sustained_max.value,
        profile.liquid_share.value,
        profile.support_power.value,
    )
    if sustained is None or liquid_share is None or support is None:
        msg = f"catalogue entry '{name}' lacks its sustained power, liquid share or support power"
        raise ValueError(msg)
    it_w = math.ceil(sustained)
    liquid = it_w * liquid_share
    return RowDraw(it_w, math.ceil(liquid), it_w - math.floor(liquid), math.ceil(support))


def scaled(draw: RowDraw, n_racks: int) -> RowDraw:
    """The draw of so many racks."""
    return RowDraw(draw.it_w * n_racks, draw.liquid_w * n_racks, draw.air_w * n_racks, draw.support_w * n_racks)


def split_name(name: str) -> tuple[str, str]:
    """Site and id of a `site:id` name."""
    site, _, node = name.partition(":")
    return site, node


def plan_draws(problem: Problem, n_racks: NDArray[np.int32], t: int, draws: Sequence[RowDraw]) -> dict[str, RowDraw]:
    """Draw of every row that holds racks of the plan in period t, by `site:row` name."""
    result = {}
    for row, name in enumerate(problem.row_names):
        counts = [int(n) for n in n_racks[row, :, t]]
        if any(counts):
            result[name] = sum((scaled(draw, n) for draw, n in zip(draws, counts, strict=True)), RowDraw())
    return result


def occupied_draws(graphs: SiteGraphs, catalog: Catalog) -> dict[str, RowDraw]:
    """Draw of every occupied row of a site, by row id."""
    result = {}
    for node, fields in graphs.containment.nodes(data=True):
        if fields["kind"] == "row" and fields["occupied_racks"]:
            draw = configuration_draw(catalog, fields["occupied_configuration"])
            result[node] = scaled(draw, fields["occupied_racks"])
    return result


def feed_limit_w(power: Graph, row: str) -> int:
    """Most watts that a row may draw for its own feeds to hold after the loss of any one of them.

    Parameters: power, the power graph; row, its id. A row with one feed has that feed's rating.
    """
    feeds = {feed: Fraction(edge["share"]) for feed, edge in power.pred[row].items()}
    limits = []
    for feed, share in feeds.items():
        others = [other for name, other in feeds.items() if name != feed]
        worst = share / (1 - max(others)) if others else share
        if worst > 0:
            limits.append(math.floor(power.nodes[feed]["rating_w"] / worst))
    return min(limits, default=0)


class Rooms:
    """What each row of a problem has left when a plan stands in it."""

    def __init__(
        self,
        problem: Problem,
        n_racks: NDArray[np.int32],
        graphs_by_site: Mapping[str, SiteGraphs],
        draws: Sequence[RowDraw],
    ) -> None:
        """Look up every row's positions and feeds once."""
        self._n_racks, self._draws = n_racks, draws
        self._positions, self._feed_w = [], []
        for name in problem.row_names:
            site, row = split_name(name)
            graphs = graphs_by_site[site]
            self._positions.append(int(graphs.containment.nodes[row]["positions"]))
            self._feed_w.append(feed_limit_w(graphs.power, row))

    def __call__(self, row: int, t: int) -> RowRoom:
        """Empty positions and unused feed watts of a row in a period."""
        counts = [int(n) for n in self._n_racks[row, :, t]]
        used_w = sum(draw.it_w * n for draw, n in zip(self._draws, counts, strict=True))
        return RowRoom(self._positions[row] - sum(counts), max(self._feed_w[row] - used_w, 0))

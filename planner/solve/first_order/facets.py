"""Inequalities that cut the integer points of one row from the racks that its limits would allow in parts."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Direction = tuple[int, ...]


def directions(point_sets: list[NDArray[np.int64]], members: NDArray[np.int64]) -> list[Direction]:
    """Non-negative normals over the members whose cuts hold the points of one row together.

    For one or two configurations they describe the convex hull of every set exactly; for more they are the normals of
    its shadows on pairs of configurations, and the total.
    Parameters: point_sets, each [n_points, n_configurations] with every point below a point of it; members,
    configurations of one system.
    """
    if members.size == 1:
        return [(1,)]
    found: set[Direction] = {tuple(1 for _ in members)} if members.size > 2 else set()
    for points in point_sets:
        for pair in combinations(range(members.size), 2):
            for normal in _hull_normals(points[:, members[list(pair)]]):
                spread = [0] * members.size
                spread[pair[0]], spread[pair[1]] = normal
                found.add(tuple(spread))
    return sorted(found)


def _hull_normals(points: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Normals of the upper right boundary of a set of points in the plane that holds all points below its own."""
    chain: list[tuple[int, int]] = []
    widest = np.zeros(int(points[:, 0].max()) + 1, np.int64)
    np.maximum.at(widest, points[:, 0], points[:, 1])
    for point in enumerate(widest.tolist()):
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) >= 0:
            chain.pop()
        chain.append(point)
    normals = {(0, 1)} if len(chain) == 1 else set()
    if chain[-1][1] > 0 or chain[0][1] == 0:
        normals.add((1, 0))  # no edge of the chain keeps points from going further right
    for (x, y), (x_next, y_next) in pairwise(chain):
        step = np.gcd(y - y_next, x_next - x)
        normals.add((int((y - y_next) // step), int((x_next - x) // step)))
    return sorted(normals)


def _turn(first: tuple[int, int], second: tuple[int, int], third: tuple[int, int]) -> int:
    """Positive where three points turn left."""
    across = (second[0] - first[0]) * (third[1] - first[1])
    return across - (second[1] - first[1]) * (third[0] - first[0])

"""How many switches a non-blocking network of two or three tiers takes, and how its links are spread.

With switches of k ports a network of two tiers joins at most k leaves (k²/2 ports of full leaves), one of three tiers
k pods of at most k/2 leaves (k³/4 ports). Links are spread evenly: the uplinks of a leaf divide by its spines, and the
uplinks of a spine by its cores. With that rule the published NVIDIA SuperPOD counts come out: 8 racks of GB300 take 8
leaves, 16 such units 128 + 72, and 16 units of GB200 512 + 384 + 144.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LeafGroup:
    """The leaves of a scalable unit, or of a whole block where they are packed."""

    n_leaves: int
    n_uplinks: int
    """Uplinks of each leaf: as many as its ports that face hosts, or more, so that nothing blocks."""
    group_size: int
    """Leaves that stay together when a third tier gathers leaves into pods: those of one rail and plane."""


@dataclass(frozen=True)
class Tiers:
    """Switches and links of one network above its leaves, over all planes and islands."""

    n_tiers: int
    n_islands: int
    """Networks side by side, where one would exceed three tiers."""
    n_spines: int
    n_cores: int
    n_leaf_links: int
    """Links between leaves and spines."""
    n_core_links: int
    """Links between spines and cores."""


def smallest_divisor(number: int, at_least: int) -> int | None:
    """The smallest divisor of `number` that is `at_least` or more; None where there is none."""
    return next((one for one in range(max(at_least, 1), number + 1) if number % one == 0), None)


def leaves_by_rail(n_racks: int, n_ports: int, n_rails: int, n_host_ports: int) -> LeafGroup | None:
    """Leaves of a scalable unit where each leaf serves one rail of whole racks.

    Parameters: racks of the unit; host ports of a rack; rails over which a rack spreads them; ports of a leaf that
    face hosts. Racks are spread evenly: each leaf takes the largest number of racks that divides the unit. None where
    a leaf has too few ports for the rail of a single rack.
    """
    n_ports_each = -(-n_ports // n_rails)
    racks_each = [n for n in range(1, n_racks + 1) if n_racks % n == 0 and n * n_ports_each <= n_host_ports]
    if not racks_each:
        return None
    n_leaves_each = n_racks // racks_each[-1]
    return LeafGroup(n_rails * n_leaves_each, racks_each[-1] * n_ports_each, n_leaves_each)


def leaves_packed(n_ports: int, n_planes: int, n_host_ports: int) -> LeafGroup:
    """Leaves that take these host ports whatever rack they belong to, as few as hold them.

    Parameters: host ports of all racks; planes; ports of a leaf that face hosts. Uplinks are halved for as long as they
    still cover the ports in use.
    """
    n_leaves_each = -(-n_ports // (n_planes * n_host_ports))
    n_used = -(-n_ports // (n_planes * n_leaves_each))
    n_uplinks = n_host_ports
    while n_uplinks % 2 == 0 and n_uplinks // 2 >= n_used:
        n_uplinks //= 2
    return LeafGroup(n_planes * n_leaves_each, n_uplinks, 1)


def tiers_of(n_leaves: int, n_uplinks: int, group_size: int, n_planes: int, n_ports: int) -> Tiers:
    """Spines, cores and links above some leaves: two tiers where they suffice, else three.

    Parameters: leaves of all planes; uplinks of each; leaves that stay together in a pod; planes, networks of their
    own; ports of a spine and of a core, two at the least.
    """
    in_plane = -(-n_leaves // n_planes)
    one = two_tiers(in_plane, n_uplinks, n_ports) or _islands(in_plane, n_uplinks, group_size, n_ports)
    return Tiers(
        one.n_tiers,
        one.n_islands,
        n_planes * one.n_spines,
        n_planes * one.n_cores,
        n_planes * one.n_leaf_links,
        n_planes * one.n_core_links,
    )


def two_tiers(n_leaves: int, n_uplinks: int, n_ports: int) -> Tiers | None:
    """Spines that join all leaves of a plane directly; None where a spine has too few ports for them.

    Parameters: leaves; uplinks of each; ports of a spine.
    """
    n_spines = smallest_divisor(n_uplinks, -(-n_leaves * n_uplinks // n_ports))
    if n_spines is None:
        return None
    return Tiers(2, 1, n_spines, 0, n_leaves * n_uplinks, 0)


def three_tiers(n_leaves: int, n_uplinks: int, group_size: int, n_ports: int) -> Tiers | None:
    """Pods of leaves with spines of their own, joined by cores; None where the cores have too few ports.

    Parameters: leaves of a plane; uplinks of each; leaves that stay together; ports of a spine and of a core. Each
    group is a pod where an even spread then wastes no core, so that the network grows group by group; else pods are of
    the size that takes the fewest switches.
    """
    n_groups = -(-n_leaves // group_size)
    sizes = range(1, n_ports // 2 // group_size + 1)
    found = [_pods(n_leaves, -(-n_groups // size), size * group_size, n_uplinks, n_ports) for size in sizes]
    if found and found[0] is not None and found[0].n_cores_wasted == 0:
        return found[0].tiers
    fit = (one.tiers for one in found if one is not None)
    return min(fit, key=lambda one: one.n_spines + one.n_cores, default=None)


@dataclass(frozen=True)
class _Pods:
    """A network of pods, and the cores that it takes only to spread links evenly."""

    tiers: Tiers
    n_cores_wasted: int


def _pods(n_leaves: int, n_pods: int, pod_size: int, n_uplinks: int, n_ports: int) -> _Pods | None:
    """A network of so many pods of so many leaves; None where its spines or cores have too few ports."""
    n_spines_each = smallest_divisor(n_uplinks, -(-pod_size * n_uplinks // (n_ports // 2)))
    if n_spines_each is None:
        return None
    n_spine_uplinks = pod_size * n_uplinks // n_spines_each
    n_cores_needed = -(-n_pods * n_spine_uplinks // n_ports)
    n_cores_each = smallest_divisor(n_spine_uplinks, n_cores_needed)
    if n_cores_each is None:
        return None
    tiers = Tiers(
        n_tiers=3,
        n_islands=1,
        n_spines=n_pods * n_spines_each,
        n_cores=n_spines_each * n_cores_each,
        n_leaf_links=n_leaves * n_uplinks,
        n_core_links=n_pods * n_spines_each * n_spine_uplinks,
    )
    return _Pods(tiers, n_spines_each * (n_cores_each - n_cores_needed))


def _islands(n_leaves: int, n_uplinks: int, group_size: int, n_ports: int) -> Tiers:
    """As few networks of three tiers as hold all leaves, alike and side by side."""
    together = min(group_size, n_ports // 2)
    for n_islands in range(1, n_leaves + 1):
        one = three_tiers(-(-n_leaves // n_islands), n_uplinks, together, n_ports)
        if one is not None:
            return Tiers(
                3,
                n_islands,
                n_islands * one.n_spines,
                n_islands * one.n_cores,
                n_islands * one.n_leaf_links,
                n_islands * one.n_core_links,
            )
    msg = f"found switches of {n_ports} ports; a network takes switches of two ports or more"
    raise ValueError(msg)

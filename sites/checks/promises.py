"""Elements that carry less than the schemes below them promise."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import networkx as nx

from sites.checks.findings import ELEMENT_KINDS, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.checks.findings import Finding
    from sites.expansion.graphs import Graph, SiteGraphs


def _guarantees(graphs: SiteGraphs) -> Iterator[Finding]:
    """Every element can carry what the schemes below it promise, losses and constants included."""
    power = graphs.power
    normal_w: dict[str, Fraction] = {}
    peak_w: dict[str, Fraction] = {}
    for node in reversed(list(nx.topological_sort(power))):
        fields = power.nodes[node]
        if str(fields["kind"]) not in ELEMENT_KINDS:
            continue
        if fields["guarantee_w"] is not None:
            normal_w[node], peak_w[node] = fields["guarantee_w"], fields["guarantee_after_failure_w"]
        else:
            _add_promises(power, node, normal_w, peak_w)
        yield from _too_small(node, fields, normal_w.get(node), peak_w.get(node))


def _add_promises(power: Graph, node: str, normal_w: dict[str, Fraction], peak_w: dict[str, Fraction]) -> None:
    """Promises of an element without its own: those of the elements below; after a failure only along one chain."""
    loads = [load for load in power.successors(node) if load in normal_w]
    if not loads:
        return
    shares = ((load, power.edges[node, load]["share"]) for load in loads)
    normal_w[node] = sum((share * _input_w(power, load, normal_w[load]) for load, share in shares), Fraction(0))
    alone = power.in_degree(loads[0]) == 1 and power.out_degree(node) == 1
    if alone and loads[0] in peak_w:
        peak_w[node] = _input_w(power, loads[0], peak_w[loads[0]])


def _input_w(power: Graph, node: str, output_w: Fraction) -> Fraction:
    """Watts into an element for watts out of it: losses by the secant at the plate, house load and no-load loss."""
    fields = power.nodes[node]
    served_w: Fraction = output_w + fields["house_load_w"]
    loss_w: Fraction = served_w * (fields["loss_linear"] + fields["loss_quadratic"])
    no_load_w: Fraction = fields["loss_no_load"] * fields["plate_w"]
    return served_w + loss_w + no_load_w


def _too_small(
    node: str, fields: dict[str, object], normal_w: Fraction | None, peak_w: Fraction | None
) -> Iterator[Finding]:
    """Normal operation keeps to the rating, the time after a failure to the emergency rating."""
    for promised_w, key, kept, how in (
        (normal_w, "rating_w", "rating", "promises in normal operation"),
        (peak_w, "emergency_w", "emergency rating", "promises after the loss of a block"),
    ):
        carried_w = fields[key]
        if promised_w is not None and isinstance(carried_w, Fraction) and promised_w > carried_w:
            message = (
                f"a {fields['kind']} with the {kept} {int(carried_w):,} W carries less than the {int(promised_w):,} W "
                f"that the scheme below it {how}; a plan keeps within the {kept}"
            )
            yield warning(node, message)
            return


PROMISES = (_guarantees,)

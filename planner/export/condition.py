"""One state of a site: what every power element carries in one quarter, normally or after one failure.

Losses are those at actual load, by the chain that `verify` holds against the linear limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.verify.check import Verification
from planner.verify.flow import Flow, TrueLosses
from planner.verify.inputs import UnreadableRunError, read_run
from planner.verify.network import LOADS, SERVICE, Wiring
from planner.verify.situations import situations_of
from sites.faults import Fault, InputError
from sites.nearest import unknown

if TYPE_CHECKING:
    from pathlib import Path

    from planner.verify.network import Network
    from planner.verify.situations import Draws, LoadDraws
    from planner.verify.standing import Standing
    from sites.expansion import SiteGraphs


@dataclass(frozen=True)
class Condition:
    """Watts of a site's power graph in one quarter; nodes are numbered from source to load."""

    site: str
    quarter: str
    failed: str | None
    graphs: SiteGraphs
    network: Network
    wiring: Wiring
    """What is alive, and which share of each node every live source carries."""
    output_w: dict[int, float]
    """Output of every live element, draw of every live load."""
    input_w: dict[int, float]

    def is_load(self, node: int) -> bool:
        """Whether a node draws power and passes none on."""
        return self.network.kinds[node] in LOADS

    def elements(self) -> list[int]:
        """Live elements, the service aside."""
        return [node for node in self.output_w if not self.is_load(node) and self.network.kinds[node] != SERVICE]


def standing_of_run(directory: Path) -> dict[str, Standing]:
    """What stands at each site of a run, by site name.

    Parameters: directory, as `gigaplan plan` wrote it; its placements are taken as they are, `verify` judges them.
    Raises InputError when it cannot be read.
    """
    try:
        verification = Verification(directory, read_run(directory))
    except UnreadableRunError as error:
        raise InputError([Fault(str(directory), None, "", f"{error}; make the run again")]) from None
    return verification.standing


@dataclass(frozen=True)
class QuarterDraws:
    """What every load of a site draws in one quarter."""

    standing: Standing
    quarter: str
    draws: Draws
    """Normal operation of the quarter's epoch."""
    position: int
    """The quarter's position among the periods of its epoch."""

    def condition(self, failed: str | None = None) -> Condition:
        """The state of the site in normal operation or after one failure, Flex rows having acted.

        Parameters: failed, an element in service, a common-mode group, or either while an element is out for work
        (`ELEMENT+FAILURE`). Raises InputError when it is none of them.
        """
        draws, wiring = self.draws, self.draws.wiring
        changed: dict[int, LoadDraws] = {}
        if failed is not None:
            number = self._failure_number(failed)
            pair, outage = draws.states.contingencies.pair(number), draws.states.outage(draws.epoch, number)
            draws = draws if pair is None else draws.while_out(pair[0])
            draws = draws.acted(self.standing.limits.walker.flex)
            changed, wiring = draws.silenced(outage), draws.wiring.after(outage)
        alive = (node for node in draws.loads() if node not in wiring.dead)
        loads = {node: [changed.get(node, draws.draw_w(node)).floats()[self.position]] for node in alive}
        return self._condition(failed, wiring, loads)

    def _condition(self, failed: str | None, wiring: Wiring, loads: dict[int, list[float]]) -> Condition:
        """Losses at actual load from the loads up."""
        network, graphs = self.draws.states.network, self.standing.limits.graphs
        losses = TrueLosses(network)
        flow = Flow(network, wiring, loads, losses, 1)
        return Condition(
            site=graphs.site.name,
            quarter=self.quarter,
            failed=failed,
            graphs=graphs,
            network=network,
            wiring=wiring,
            output_w={node: watts[0] for node, watts in flow.output.items()},
            input_w={node: losses.input_of(node, watts)[0] for node, watts in flow.output.items()},
        )

    def failures(self) -> list[str]:
        """Names of everything whose failure is a single one: elements in service and common-mode groups."""
        return [self.draws.states.contingencies.name(failed) for failed in self.draws.failures()]

    def _failure_number(self, name: str) -> int:
        """Number of a failure of power elements that may happen in the quarter."""
        names, contingencies = self.failures(), self.draws.states.contingencies
        try:
            number = contingencies.number(name)
        except KeyError:
            number = None
        if number is not None and contingencies.pair(number) is not None:
            possible = self.draws.states.stands(self.draws.epoch, number)
        else:
            possible = name in names
        if number is None or not possible:
            message = unknown(f"failure in {self.quarter}", name, names)
            raise InputError([Fault(_site(self.standing), None, "failure", message)])
        return number


def quarter_draws(standing: Standing, quarter: str) -> QuarterDraws:
    """What every load draws in a quarter.

    Parameters: standing, what stands at the site; quarter, a decision period of the plan. Raises InputError when it
    is none.
    """
    if quarter not in standing.periods:
        message = unknown("decision quarter", quarter, standing.periods)
        raise InputError([Fault(_site(standing), None, "quarter", message)])
    period = standing.periods.index(quarter)
    draws = next(normal for normal, _ in situations_of(standing) if period in normal.periods)
    return QuarterDraws(standing, quarter, draws, draws.periods.index(period))


def _site(standing: Standing) -> str:
    return f"site {standing.limits.graphs.site.name}"

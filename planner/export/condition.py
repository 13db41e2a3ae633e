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
from planner.verify.power import epochs_of
from sites.faults import Fault, InputError
from sites.nearest import unknown

if TYPE_CHECKING:
    from pathlib import Path

    from planner.verify.network import Network
    from planner.verify.power import EpochDraws
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
    draws: EpochDraws
    position: int
    """The quarter's position among the periods of its epoch."""

    def condition(self, failed: str | None = None) -> Condition:
        """The state of the site in normal operation or after one failure.

        Parameters: failed, an element in service or a common-mode group. Raises InputError when it is neither.
        """
        draws, network, wiring = self.draws, self.draws.walker.network, self.draws.wiring
        draw_w = {node: draws.draw_w(node)[self.position] for node in draws.loads()}
        if failed is not None:
            outage = draws.walker.outage(draws.epoch, self._failure_number(failed))
            draw_w |= {node: watts[self.position] for node, watts in draws.silenced(outage).items()}
            wiring = Wiring(wiring.dead | outage.dead, {**wiring.shares, **outage.shares})
        losses = TrueLosses(network)
        loads = {node: [float(watts)] for node, watts in draw_w.items() if node not in wiring.dead}
        flow = Flow(network, wiring, loads, losses, 1)
        graphs = self.standing.limits.graphs
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
        network = self.draws.walker.network
        return [network.failure_name(failed) for failed in network.failures(self.draws.wiring)]

    def _failure_number(self, name: str) -> int:
        names = self.failures()
        if name not in names:
            message = unknown(f"failure in {self.quarter}", name, names)
            raise InputError([Fault(_site(self.standing), None, "failure", message)])
        return self.draws.walker.network.failure_number(name)


def quarter_draws(standing: Standing, quarter: str) -> QuarterDraws:
    """What every load draws in a quarter.

    Parameters: standing, what stands at the site; quarter, a decision period of the plan. Raises InputError when it
    is none.
    """
    if quarter not in standing.periods:
        message = unknown("decision quarter", quarter, standing.periods)
        raise InputError([Fault(_site(standing), None, "quarter", message)])
    period = standing.periods.index(quarter)
    draws = next(one for one in epochs_of(standing) if period in one.periods)
    return QuarterDraws(standing, quarter, draws, draws.periods.index(period))


def _site(standing: Standing) -> str:
    return f"site {standing.limits.graphs.site.name}"

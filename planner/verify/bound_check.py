"""Whether a certificate proves the bound that its plan states, and whether gap and status fit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from planner.verify.bound import BoundRule
from planner.verify.branches import read_branches
from planner.verify.certificate import CertificateError, Known
from planner.verify.leaf_bound import LeafRule
from planner.verify.points import RowPoints
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.verify.eligibility import Eligibility
    from planner.verify.joint import AllLimits
    from planner.verify.objective import Ledger
    from planner.verify.power import PowerCheck
    from planner.verify.side import Side


def proven_cents(
    certificate: Mapping[str, Any],
    ledger: Ledger,
    side: Side,
    everything: AllLimits,
    eligibility: Mapping[str, Eligibility],
    power: Mapping[str, PowerCheck],
) -> int:
    """The bound that a certificate proves, of its tree where it has one, in cents.

    Parameters: power, by site, what elements carry without the plan. Raises CertificateError with the entry at fault.
    """
    setting = ledger.setting
    own, leaves = read_branches(certificate, _known(ledger, side))
    most = {(limit, setting.periods[t]): amount for (limit, t), amount in side.most_raised.items()}
    points = {
        site: RowPoints(site, limits, everything, setting.draws, setting.periods, power[site], most)
        for site, limits in everything.sites.items()
    }
    rule = (ledger, everything, eligibility, points, side)
    if leaves and ledger.openings.entries:
        msg = "certificate.json: a tree proves nothing where sites or phases are opened at a cost"
        raise CertificateError(msg)
    if not leaves:
        return BoundRule(*rule, own).bound_cents()
    found = [
        LeafRule(*rule, leaf.multipliers, sides=leaf.sides, decided=leaf.decided).branch_cents() for leaf in leaves
    ]
    return max((bound for bound in found if bound is not None), default=0)


def _known(ledger: Ledger, side: Side) -> Known:
    """What a certificate may name."""
    setting = ledger.setting
    return Known(
        periods=setting.periods,
        rows=lambda name: name.partition(":")[2] in setting.rows.get(name.partition(":")[0], {}),
        blocks=lambda name: name.partition(":")[2] in setting.partial_units.get(name.partition(":")[0], {}),
        systems=list(dict.fromkeys(draws.system for draws in setting.draws.values())),
        configurations=list(setting.draws),
        demand_sites=[site for site, meter in ledger.meters.items() if meter.service["minimum_demand_steps"]],
        side_rows=side.rows,
        side_columns=side.columns,
    )


def check_bound(plan: Mapping[str, Any], objective: int, prove: Callable[[], int]) -> Check:
    """The certificate proves exactly the stated bound, and the gap is what both make.

    Parameters: objective in cents as worked out; prove, the bound in cents by the certificate, which may raise
    CertificateError.
    """
    try:
        bound = prove()
    except CertificateError as error:
        return Check("bound", False, str(error))
    faults = []
    if plan.get("bound") != bound:
        faults.append(f"the certificate proves {bound} cents, stated {plan.get('bound')}")
    if bound < objective:
        faults.append(f"the bound of {bound} cents lies below the objective of {objective}")
    if not _same_gap(plan.get("gap"), objective, bound):
        faults.append(f"the gap of {objective} and {bound} is stated as {plan.get('gap')}")
    if (plan.get("status") == "optimal") != (objective == bound):
        faults.append(f"status '{plan.get('status')}' does not fit objective and bound")
    return check_of("bound", faults, f"{bound} cents, proven by the certificate")


def _same_gap(stated: object, objective: int, bound: int) -> bool:
    """Whether a stated gap is (bound − objective) / bound to the last digits of a float."""
    if bound == objective:
        return stated == 0
    if bound == 0:
        return stated is None
    due = (bound - objective) / abs(bound)
    return isinstance(stated, int | float) and math.isclose(stated, due, rel_tol=1e-12)

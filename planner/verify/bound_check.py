"""Whether a certificate proves the bound that its plan states, and whether gap and status fit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from planner.verify.certificate import CertificateError
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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

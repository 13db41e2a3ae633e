"""The lines of a plan's cash: what each is for, and between whom it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

JOINT = "*"
"""Site of what belongs to no single one."""


class Line(StrEnum):
    """Lines of the table, in its order."""

    SERVICE = "service revenue"
    PENALTIES = "service penalties"
    CHARGES = "service charges"
    MARKET = "rental at market price"
    PREMIUM = "contract premium"
    ACCEPTANCE = "not yet accepted"
    SHORTFALL = "take-or-pay shortfall"
    INSTALMENTS = "instalments"
    FLOORS = "broken floors"
    SHARES = "broken shares"
    ENERGY = "energy"
    DEMAND = "demand charge"
    MINIMUM_DEMAND = "minimum demand"
    OPERATIONS = "operations"
    STORAGE = "rack storage"
    RACKS = "racks"
    NETWORK = "network"
    CONVERSIONS = "conversions"
    SHELL = "avoidable capex"
    REMOVAL = "racks removed"
    RESALE = "racks resold"
    RESIDUAL = "residual value"
    FACILITY = "facility beyond the plan"
    CONNECTION = "grid connection"


CAPITAL = frozenset({Line.RACKS, Line.NETWORK, Line.CONVERSIONS, Line.SHELL})
RUNNING = frozenset({Line.ENERGY, Line.DEMAND, Line.MINIMUM_DEMAND, Line.OPERATIONS, Line.STORAGE})
OWNED = CAPITAL | RUNNING | {Line.REMOVAL, Line.RESALE, Line.RESIDUAL}
"""What whoever owns the racks pays, and what racks bring in the end."""
SERVED = frozenset({Line.SERVICE, Line.PENALTIES, Line.CHARGES})
"""What whoever works on the racks earns by it and pays for it."""
BEYOND = frozenset({Line.FACILITY, Line.CONNECTION})
"""What only books have, where the portfolio asks for it: the plan does not choose it."""
TRANSFERS = frozenset({Line.MARKET, Line.PREMIUM, Line.ACCEPTANCE, Line.SHORTFALL})
"""What the customer pays to the provider; entries are as the provider has them."""
PROMISES = frozenset({Line.INSTALMENTS, Line.FLOORS, Line.SHARES})
"""What outsiders pay or take for milestones and limits that are kept or broken."""


class Party(StrEnum):
    """In whose books."""

    PROVIDER = "provider"
    CUSTOMER = "customer"
    CHAIN = "chain"
    """Both together: what one pays to the other cancels."""


@dataclass(frozen=True)
class Account:
    """What an entry belongs to."""

    site: str
    line: Line
    item: str = ""
    """A workload and its tier, a charge; empty where the line has no parts."""
    system: str = ""
    """The rack system that it is for; empty where it is for none in particular."""

    @property
    def label(self) -> str:
        """Name of the line as tables have it."""
        return f"{self.line}: {self.item}" if self.item else str(self.line)

    @property
    def of_all_systems(self) -> Account:
        """The same whatever the system: an entry of the table."""
        return replace(self, system="")


def sign(party: Party, line: Line, decider: Party) -> int:
    """How entries of a line count in a party's books: 1 as they are, −1 turned round, 0 not at all.

    Parameters: decider, in whose books the plan was chosen; promises are its own, the customer's where both chose.
    """
    promised = line in PROMISES
    owner = int(line in OWNED | BEYOND | TRANSFERS or (promised and decider is Party.PROVIDER))
    customer = int(line in SERVED or (promised and decider is not Party.PROVIDER)) - int(line in TRANSFERS)
    return {Party.PROVIDER: owner, Party.CUSTOMER: customer, Party.CHAIN: owner + customer}[party]

"""Contract clauses for tests, on the small worlds."""

from __future__ import annotations

from typing import Any

from fixtures.small_site import PROVENANCE


def clause(name: str, **keys: Any) -> dict[str, Any]:
    """A clause of any kind."""
    return {"name": name, "provenance": PROVENANCE, **keys}


def floor(measure: str, minimum: Any, price: Any, start: str = "2027-Q1", **keys: Any) -> dict[str, Any]:
    """A floor of one step, called `least` unless named."""
    steps = [{"start": start, "minimum": minimum}]
    return clause(keys.pop("name", "least"), measure=measure, steps=steps, price=price, **keys)


def share(measure: str, price: Any, **keys: Any) -> dict[str, Any]:
    """A share, called `part` unless named."""
    return clause(keys.pop("name", "part"), measure=measure, price=price, **keys)


def tranche(measure: str, target: Any, by: str = "2027-Q3", **keys: Any) -> dict[str, Any]:
    """A tranche, called `first` unless named."""
    return clause(keys.pop("name", "first"), measure=measure, target=target, by=by, **keys)


def commitment(amount: str, start: str, end: str, **keys: Any) -> dict[str, Any]:
    """A commitment, called `rent` unless named."""
    return clause(keys.pop("name", "rent"), amount=amount, start=start, end=end, **keys)


def every_clause() -> dict[str, Any]:
    """Clauses of every kind and measure over the two sites `here` and `there`."""
    part: dict[str, Any] = {"sites": ["there"], "systems": ["gb300-nvl72"]}
    return {
        "floors": [
            floor("meter-w", "1.234 MW", "20.5 USD/kW", name="meter"),
            floor("it-w", "0.9 MW", "3 USD/W", name="it", **part),
            floor("accepted-racks", 3, "1000.001 USD", name="accepted", vendors=["nvidia"]),
            floor("gpus", 700, "7 USD", start="2027-Q3", name="gpus", systems=["gb200-nvl72"]),
            floor("tokens", 5_000_500, "2 USD/million", name="served", workloads=["chat"]),
        ],
        "shares": [
            share("racks", "500 USD", name="crowd", at_most="33.33 %", **part),
            share("spend", 0.25, name="money", at_least="12.5 %", sites=["here"], start="2027-Q2"),
            share("meter-w", "1 USD/W", name="power", at_most="60 %", systems=["gb300-nvl72"], end="2027-Q4"),
            share("accepted-racks", "9 USD", name="taken-over", at_least="50 %", sites=["there"]),
        ],
        "tranches": [
            tranche("racks", 4, name="cash", cash="1e6 USD", rack_budget="123456.785 USD"),
            tranche("tokens", 3e6, by="2028-Q1", name="served-so-far", workloads=["chat"], cash="10 USD"),
            tranche("meter-w", "0.7654321 MW", by="2027-Q1", name="power-on", rack_budget="5 USD", **part),
        ],
        "commitments": [
            commitment("5e6 USD", "2027-Q1", "2029-Q4"),
            commitment("3.3333333e6 USD", "2027-Q3", "2027-Q4", name="lease", **part),
        ],
    }

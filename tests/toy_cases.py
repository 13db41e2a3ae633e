"""The toys of the library with their answers worked out by hand, and the rules of which each must have one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOYS = Path(__file__).parent.parent / "sites" / "library" / "toys"

RULES: dict[str, str] = {
    # named redundancy schemes
    "scheme-none": "no redundancy and no UPS",
    "scheme-n": "N: one block for each row",
    "scheme-n-plus-1-bus": "N+1 on a common bus",
    "scheme-2n": "2N: half from each side, all from the survivor",
    "scheme-block-redundant": "a catcher behind transfer switches",
    "scheme-distributed-4n3": "distributed redundant, four blocks",
    "scheme-distributed-3n2": "distributed redundant, three blocks",
    "distributed-grows": "shares of a lineup whose blocks come one by one",
    # families of limits (docs/model.md, section 4)
    "power-normal": "an element in normal operation",
    "power-contingency": "an element after a failure beside it",
    "meter": "power at the service",
    "envelope-meter": "joint envelope at the meter",
    "envelope-it": "joint envelope of IT power",
    "liquid": "heat of a CDU group with one out",
    "flow": "flow of a CDU group",
    "air": "heat of air handlers with one out",
    "dry-cooler": "dry coolers with one out",
    "chiller": "chillers with one out, derated at the design day",
    "leaf": "host ports of a block",
    "spine": "bandwidth of a building",
    "floor-uniform": "weight of a row",
    "position": "positions of a row",
    "landing": "what crews can land",
    "supply": "cumulative deliveries",
    "budget": "money for racks",
    "storey-uniform": "weight of a row by storey",
    # failures across graphs (sections 2 and 4)
    "thermal-drop": "a failure survived electrically, not thermally",
    "lone-board": "a row needs its pumps and its network",
    "thermal-header": "heat of the CDUs that a failure leaves",
    "thermal-spares": "spares that cover what a failure takes along",
    "thermal-flow": "flow of the CDUs that a failure leaves",
    "thermal-air": "air handlers that a failure leaves",
    "thermal-dry": "coolers that a failure leaves",
    "thermal-chiller": "chillers that a failure leaves",
    "thermal-group": "units that a common-mode group leaves",
    "dead-row-heat": "a row without power gives no heat",
    "dropped-draws": "what drops for want of cooling still draws",
    "matched-pumps": "pumps on the board that their unit hangs on",
    "matched-plant": "plant machinery on the boards that its units hang on",
    "unit-spare": "the loss of one unit of a bank without spares",
    "unit-class": "kinds of unit in a class",
    "leaf-planes": "planes that the loss of a leaf leaves whole",
    "leaf-boards": "leaves that a failed element takes along",
    "dropped-power": "racks and power that a failure drops",
    # ratings after a failure and Flex
    "emergency-rating": "what survivors carry until the lost element is back",
    "flex-before": "before the racks have acted: the short-time rating",
    "flex-after": "after they have acted: the rating",
    "flex-slow": "racks that act later than the short-time rating lasts",
    "flex-mixed": "rows that act beside rows that do not",
    "flex-support": "network and storage gear does not act",
    "flex-cooling": "heat does not wait for Flex",
    # concurrent maintenance
    "maintenance-class": "a planned outage drops nobody",
    "maintenance-pair": "a failure while another element is out",
    "maintenance-group": "a common-mode group while an element is out",
    "maintenance-drop": "a drop by a failure during maintenance",
    "maintenance-cooling": "cooling units that such a pair leaves",
    # sources at the meter
    "non-firm": "curtailed hours earn nothing",
    "non-firm-later": "curtailment by quarter, also after the last decision",
    "non-firm-contract": "curtailed revenue uses up less of a contract",
    "generation": "firm generation, derated at the design day",
    "energy-mix": "energy at the price of its sources",
    "swing": "steps of synchronous racks",
    "swing-smoothing": "racks that smooth a part of their swing",
    "swing-occupied": "racks of others swing too",
    "swing-battery": "a battery that takes a part of a step",
    "swing-ramp": "energy of a battery against a ramp",
    "demand-charge": "a charge on the largest demand",
    "demand-charge-largest": "charged at the row that costs most at the meter",
    "minimum-demand": "what falls short of a minimum demand is charged",
    "minimum-demand-pays": "a minimum demand that racks use up",
    # support gear outside the rows
    "support-heat-air": "heat of support gear at the air handlers",
    "support-heat-plant": "heat of support gear at the plant",
    "support-heat-pumps": "power that moves the heat of support gear",
    "support-places": "places for support gear of whole units",
    "support-places-partial": "and of units that may be part empty",
    "support-places-mixed": "held back for the system that brings most",
    # ratings and the flow of a watt
    "plate-amperes": "A · √3 · V",
    "power-factor": "kVA to W",
    "derating": "heat and altitude",
    "continuous-factor": "0.8 of plate",
    "house-load": "a constant at an element",
    "no-load-loss": "a constant at an element's input",
    "load-loss": "the secant of the loss at the plate",
    "mechanical-load": "pumps on a named element",
    "plant-power": "plant with a constant part",
    "handler-fans": "fans, and pumps for the heat of fans",
    "support-load": "network and storage on a named element",
    "building-power-group": "a power group of a building",
    "sharing-parallel": "members that share a load",
    "sharing-matched": "member by member",
    "parallel-growth": "a parallel bank that grows",
    "redundancy-ramps": "a row waits for redundancy, unless its class allows the drop",
    "common-mode": "elements that fail as one",
    "common-mode-class": "a row that may not drop on a group",
    # cooling
    "coolant": "heat capacity of the coolant",
    "recirculation": "warm air drawn back",
    "plant-split": "dry coolers first, chillers for the rest",
    "adiabatic": "wet pads before dry coolers",
    "fluid-cooler": "closed wet coolers",
    "chiller-curve": "published curves of a chiller",
    # eligibility (section 5)
    "availability-class": "a row that may not drop",
    "taps": "whips after the loss of the other feed",
    "tap-voltage": "input range of the power shelves",
    "ride-through-cap": "shelves of one feed carry the rack, capped if need be",
    "ride-through-refuse": "and no power cap is trusted",
    "loop-set-point": "warmest supply that a rack takes",
    "air-cooled-row": "no liquid loop",
    "port-kind": "port kinds of the leaf group",
    "floor-point": "point load",
    "pressure": "pressure that a rack needs, where a row asks",
    "storey-point": "point load by storey",
    "conversion-taps": "new whips, their cost and time",
    "conversion-order": "the first conversion that helps",
    "conversion-ports": "new leaves for another kind of port",
    "conversion-floor": "plates under a rack, and their cost",
    "conversion-floor-uniform": "a stronger floor under a row",
    "conversion-own-floor": "the own floor of a row that some system takes as it is",
    "our-buildings": "buildings that are not ours",
    "occupied": "racks of others",
    # dates
    "in-service": "latest of the dates, plus commissioning",
    "delay": "a lineup that comes later",
    "row-waits-for-all-feeds": "a row needs all its feeds",
    "network-date": "network gear on site",
    "single-feed": "one feed until a date",
    "single-feed-class": "and the drop that goes with it",
    "single-feed-distributed": "one feed in a distributed lineup",
    # decisions (section 6)
    "monotone": "racks never leave",
    "one-system-per-block": "one system in a block",
    "one-system-over-time": "and for good",
    "whole-units": "whole scalable units",
    "lineups-per-block": "units counted over the lineups of a block",
    "partial-unit": "partial units pay for all their leaves",
    "profile-switch": "profiles change from quarter to quarter",
    "decisions-until": "the last decision",
    "shared-envelope": "several sites under one envelope",
    # refresh (sections 6 and 7)
    "refresh": "racks that make way for others",
    "refresh-not": "racks that better stay",
    "refresh-downtime": "a quarter without racks at work",
    "refresh-wait": "a row kept empty until better racks come",
    # value (section 7)
    "energy-price": "energy at the site's price",
    "energy-cost": "energy decides a profile",
    "average-power": "energy at average power",
    "opex": "operations by sustained power",
    "opening-cost": "avoidable capex of a lineup",
    "opening-phases": "what sites and phases cost to open, and from when on they may",
    "after-horizon-value": "cash flows after the last decision",
    "rental-decline": "prices fall",
    "discount": "later money is worth less",
    "contract": "revenue at the contract price until it is used up",
    "market-factor": "market price behind the contract",
    "acceptance-lag": "no revenue before acceptance",
    # work and whose money decides (section 7a)
    "work-tiers": "work is sold dearest first, as far as it is asked",
    "work-accepted": "racks work from acceptance to the end of their life",
    "work-residency": "work that must stay on its sites",
    "work-service-level": "what a rack does at a speed decides who serves",
    "work-penalty": "what was promised and is not served costs",
    "payment-terms": "the price of a rack in parts",
    "residual-value": "what a rack brings at the end of its life",
    "committed-delivery": "racks that are paid for, placed or not",
    "storage": "what a delivered rack costs that is not placed",
    "customer-books": "who rents racks pays rent and earns with work",
    # contract clauses (section 7a)
    "floor-power": "power that was promised, at a price",
    "floor-work": "work that was promised, at a price",
    "share": "how much of the plan a part may be",
    "tranche-cash": "an instalment that a milestone unlocks",
    "tranche-budget": "a milestone that pays for more racks",
    "tranche-missed": "a milestone out of reach, and what keeps it there",
    "take-or-pay": "rent that is due, used or not",
    "termination": "what leaving a commitment costs",
    # other objectives (section 7b)
    "objective-in-order": "one measure first, then another that gives up little of it",
    "objective-earliest": "the first quarter that reaches a target",
    "objective-cost-per-token": "the least spent for each token",
    # no plan
    "infeasible-no-row": "no usable row",
    "infeasible-occupied": "overloaded before anything is placed",
}
"""Every rule of the model that must decide at least one toy."""


@dataclass(frozen=True)
class Refusal:
    """A row that must refuse a configuration, and words of the reason."""

    row: str
    configuration: str
    reason: str


@dataclass(frozen=True)
class Otherwise:
    """Another value of one figure, and the racks that follow."""

    file: str
    """`site` or `portfolio`."""
    key: str
    """Path to the figure; items of lists by their `name`, their `system` or their position."""
    value: object
    n_racks: dict[str, int]
    """Racks in the last quarter by configuration."""


@dataclass(frozen=True)
class ToyCase:
    """One toy and its answer."""

    name: str
    portfolio: Path
    decides: tuple[str, ...]
    message: str | None
    """Words of the message when no plan exists; None when there is one."""
    n_racks: dict[tuple[str, str], int]
    """(configuration, quarter) to standing racks of all rows; what is missing is 0."""
    n_racks_by_site: dict[str, int]
    """Racks in the last quarter, where it matters on which site they stand."""
    objective_cents: int | None
    aim: dict[str, str]
    """What the plan says of an objective that several solves answer, by key of `aim`; empty for money."""
    decisions: dict[str, int]
    """What is decided beside the racks, by name of the column, zeros left out; empty where the toy does not say."""
    terms: dict[str, list[dict[str, object]]]
    """Figures that lines of the contract's ledger must have, by kind of clause; what is not named is not asked."""
    binding: tuple[str, ...]
    """Patterns of names of limits with twice whose capacity the plan would be worth more."""
    ineligible: tuple[Refusal, ...]
    failures: tuple[dict[str, object], ...]
    """Fields of entries of the failure table, found by `element`; what is not named is not asked."""
    otherwise: tuple[Otherwise, ...]

    @property
    def is_feasible(self) -> bool:
        """Whether a plan exists."""
        return self.message is None


def toy_cases() -> tuple[ToyCase, ...]:
    """Every toy of the library, found as a folder."""
    return tuple(_case(folder) for folder in sorted(TOYS.iterdir()) if folder.is_dir())


def _case(folder: Path) -> ToyCase:
    answer: dict[str, Any] = yaml.safe_load((folder / "answer.yaml").read_text(encoding="utf-8"))
    infeasible = answer.pop("expect", None) == "infeasible"
    case = ToyCase(
        name=folder.name,
        portfolio=folder / "portfolio.yaml",
        decides=tuple(answer.pop("decides")),
        message=answer.pop("message") if infeasible else None,
        n_racks={
            (configuration, quarter): count
            for configuration, counts in answer.pop("n_racks", {}).items()
            for quarter, count in counts.items()
        },
        n_racks_by_site=answer.pop("n_racks_by_site", {}),
        objective_cents=answer.pop("objective_cents", None),
        aim=answer.pop("aim", {}),
        decisions=answer.pop("decisions", {}),
        terms=answer.pop("terms", {}),
        binding=tuple(answer.pop("binding", ())),
        ineligible=tuple(Refusal(**refusal) for refusal in answer.pop("ineligible", ())),
        failures=tuple(answer.pop("failures", ())),
        otherwise=tuple(Otherwise(**other) for other in answer.pop("otherwise", ())),
    )
    if answer:
        msg = f"{folder.name}/answer.yaml: unknown keys {sorted(answer)}"
        raise ValueError(msg)
    return case


def change(document: dict[str, Any], key: str, value: object) -> None:
    """Give the figure at `key` another value; raises LookupError when it is not there."""
    *steps, last = key.split(".")
    node: Any = document
    for step in steps:
        node = _item(node, step) if isinstance(node, list) else node[step]
    if last not in node:
        raise LookupError(key)
    node[last] = value


def _item(items: list[dict[str, Any]], step: str) -> dict[str, Any]:
    """The item of a list with this name, system or position."""
    if step.isdigit():
        return items[int(step)]
    return next(item for item in items if step in {item.get("name"), item.get("system")})

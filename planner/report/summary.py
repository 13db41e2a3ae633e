"""The top of the report: headline, generations, ramp, money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.aim_words import aim_sentences
from planner.report.charts import Axis, Bar, QuarterAxis, Segment, axis, quarter_axis
from planner.report.words import count, dollars, gap_text, kind_title, megawatts, percent
from planner.run.document import npv_cents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.run.totals import ConfigurationFacts
    from sites.world import World


@dataclass(frozen=True)
class Tile:
    """One figure of the headline."""

    label: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True)
class ConfigurationLine:
    """A configuration at the end of the plan; `series` is its colour."""

    series: int
    name: str
    title: str
    generation: str
    racks: str
    gpus: str
    it_mw: str
    share: float


@dataclass(frozen=True)
class RampLine:
    """One quarter of the ramp as a table line."""

    period: str
    racks: tuple[str, ...]
    total: str
    gpus: str
    it_mw: str
    meter_mw: str
    contract: str


@dataclass(frozen=True)
class Ramp:
    """Racks standing in each quarter."""

    axis: Axis
    quarters: QuarterAxis
    bars: tuple[Bar, ...]
    lines: tuple[RampLine, ...]


@dataclass(frozen=True)
class MoneyLine:
    """One term of the objective."""

    label: str
    note: str
    value: str
    negative: bool
    width: float


@dataclass(frozen=True)
class MoneySummary:
    """The objective by parts and the use of the contract."""

    whose: str
    """In whose books."""
    lines: tuple[MoneyLine, ...]
    objective: str
    bound: str | None
    """None where the plan was made for another objective, whose bound says nothing of money."""
    rack_spend: str
    contract_amount: str | None
    no_contract: str
    """What is said where there is no amount."""
    contract_used: str
    contract_share: float
    contract_full: str | None


def tiles(document: Mapping[str, Any], world: World) -> tuple[Tile, ...]:
    """The headline's figures, at the end of the last decision quarter."""
    last = document["totals"][-1]
    envelope = world.portfolio.envelope
    envelope_w = float(envelope.steps[-1].capacity)
    share = percent(last["envelope_w"] / envelope_w)
    of_envelope = f"{share} of the {megawatts(envelope_w)} MW envelope"
    meter_w, all_w = last["plan_meter_w"]["joint"], last["meter_w"]["joint"]
    whole = f"{megawatts(all_w)} MW with the sites' own and others' loads"
    meter_note = f"{of_envelope}; {whole}" if envelope.basis == "meter" else whole
    it_note = of_envelope if envelope.basis == "it" else "racks at their sustained maximum"
    return (
        Tile("Racks", count(sum(last["racks"].values())), "", f"standing in {last['period']}"),
        Tile("GPUs", count(last["gpus"]), "", "packages, not dies"),
        Tile("At the meter", megawatts(meter_w), "MW", meter_note),
        Tile("IT", megawatts(last["it_w"]), "MW", it_note),
        Tile("Net present value", dollars(npv_cents(document)), "", _worth_note(document)),
        Tile("Proven gap", gap_text(document["gap"]), "", "distance to the best possible plan"),
    )


def _worth_note(document: Mapping[str, Any]) -> str:
    if "aim" in document:
        return "the plan was made for another objective"
    return f"at most {dollars(document['bound'])} is possible"


def _proof(document: Mapping[str, Any]) -> str:
    """How good the plan is known to be, for the objective that it was made for."""
    if "aim" in document:
        sentences = ". ".join(sentence[0].upper() + sentence[1:] for sentence in aim_sentences(document))
        return f"{sentences}."
    if document["status"] == "optimal":
        return "This is proven to be the best plan of this model."
    return f"No plan of this model can be worth more than {dollars(document['bound'])}."


def lead(document: Mapping[str, Any], facts: Sequence[ConfigurationFacts]) -> str:
    """The answer in one or two sentences."""
    last = document["totals"][-1]
    n_racks = sum(last["racks"].values())
    if n_racks == 0:
        return "The best plan found places no rack: every rack would cost more than it earns, or nothing fits."
    by_generation: dict[str, int] = {}
    for fact in facts:
        racks = last["racks"][fact.name]
        if racks:
            by_generation[fact.generation] = by_generation.get(fact.generation, 0) + racks
    parts = [f"{count(racks)} of {generation_title(name)}" for name, racks in by_generation.items()]
    mix = " and ".join(parts) if len(parts) < 3 else ", ".join(parts[:-1]) + " and " + parts[-1]
    proof = _proof(document)
    return (
        f"By {last['period']} {count(n_racks)} racks stand, {mix}, with {count(last['gpus'])} GPUs. They draw "
        f"{megawatts(last['it_w'])} MW, and {megawatts(last['plan_meter_w']['joint'])} MW at the meter with losses and "
        f"cooling. {proof}"
    )


def generation_title(name: str) -> str:
    """`vera-rubin` becomes `Vera Rubin`."""
    return " ".join(kind_title(word) for word in name.split("-"))


def configuration_lines(
    document: Mapping[str, Any], facts: Sequence[ConfigurationFacts]
) -> tuple[ConfigurationLine, ...]:
    """Every configuration on offer, with what stands of it in the last decision quarter."""
    racks = document["totals"][-1]["racks"]
    total = max(sum(racks.values()), 1)
    return tuple(
        ConfigurationLine(
            series, fact.name, fact.title, generation_title(fact.generation), count(racks[fact.name]),
            count(racks[fact.name] * fact.gpus), megawatts(racks[fact.name] * fact.it_w),
            round(100 * racks[fact.name] / total, 2),
        )
        for series, fact in enumerate(facts)
    )  # fmt: skip


def ramp(document: Mapping[str, Any], facts: Sequence[ConfigurationFacts]) -> Ramp:
    """Racks standing in each decision quarter, stacked by configuration."""
    totals = document["totals"]
    scale = axis(max(sum(total["racks"].values()) for total in totals))
    bars, lines = [], []
    for total in totals:
        racks = [total["racks"][fact.name] for fact in facts]
        segments = tuple(Segment(i, scale.height(n)) for i, n in enumerate(racks) if n)
        named = "; ".join(f"{fact.name} {count(n)}" for fact, n in zip(facts, racks, strict=True) if n)
        bars.append(Bar(segments, f"{total['period']}: {count(sum(racks))} racks. {named}"))
        lines.append(_ramp_line(total, racks))
    return Ramp(scale, quarter_axis(document["periods"]), tuple(bars), tuple(lines))


def _ramp_line(total: Mapping[str, Any], racks: Sequence[int]) -> RampLine:
    return RampLine(
        period=total["period"],
        racks=tuple(count(n) for n in racks),
        total=count(sum(racks)),
        gpus=count(total["gpus"]),
        it_mw=megawatts(total["it_w"]),
        meter_mw=megawatts(total["plan_meter_w"]["joint"]),
        contract=dollars(total["contract_used_cents"]),
    )


_MONEY_TERMS = (
    ("period_value_cents", 1, "Standing racks", "market revenue less energy and operations, in the decision quarters"),
    ("premium_cents", 1, "Contract premium", "contract price over market price, until the commitment is used up"),
    ("start_value_cents", 1, "Racks as they start", "value after the horizon less purchase and acceptance loss"),
    ("unit_cost_cents", -1, "Scalable units", "leaf, spine and optics of every unit, part-empty ones in full"),
    ("open_cost_cents", -1, "Opening lineups", "facility spending that an empty lineup avoids"),
    ("minimum_demand_cents", -1, "Minimum demand", "what racks draw less than the tariff charges"),
)


_OTHER_NOTES = {
    "chain": {
        "period_value_cents": "energy of idle racks, demand and operations, in the decision quarters",
        "start_value_cents": "price of racks and what they cost after the horizon, less what they bring in the end",
    },
    "customer": {
        "period_value_cents": "rent, in the decision quarters",
        "start_value_cents": "rent after the horizon, less what is not due until racks are accepted",
    },
}
_BESIDE = (
    ("decisions_cents", "Work and clauses", "what is sold less the energy of work; instalments, what clauses cost"),
    ("opening_cents", "Opening sites and phases", "each with its first rack; those that stay closed cost nothing"),
    ("constant_cents", "Paid by every plan", "penalties were nothing served, and deliveries that are committed"),
)
_WHOSE = {
    "provider": "in the provider's books",
    "customer": "in the customer's books",
    "chain": "in the books of provider and customer together",
}
NO_CONTRACT = "The portfolio has none; all revenue is at market prices."
RENT = {
    "chain": "What the customer pays the provider does not decide this plan; the books below show it.",
    "customer": "The rent of racks is paid here; the books below show both sides of it.",
}


def money_summary(document: Mapping[str, Any]) -> MoneySummary:
    """Terms of the objective, discounted, and how far the contract is used."""
    money, perspective = document["money"], document["books"]["perspective"]
    notes = _OTHER_NOTES.get(perspective, {})
    terms = [(label, notes.get(key, note), sign * money[key]) for key, sign, label, note in _MONEY_TERMS]
    beside = [(label, note, _signed(key) * (money.get(key) or 0)) for key, label, note in _BESIDE]
    if perspective == "provider":
        values = [*terms, *(term for term in beside if term[2])]
    else:
        values = [term for term in (*beside, *terms) if term[2]]
    largest = max((abs(value) for _, _, value in values), default=0) or 1
    lines = tuple(
        MoneyLine(label, note, dollars(value), value < 0, round(100 * abs(value) / largest, 2))
        for label, note, value in values
    )
    amount, used = money["contract_amount_cents"], money["contract_used_cents"]
    return MoneySummary(
        whose=_WHOSE[perspective],
        lines=lines,
        objective=dollars(npv_cents(document)),
        bound=None if "aim" in document else dollars(document["bound"]),
        rack_spend=dollars(money["rack_spend_cents"]),
        contract_amount=dollars(amount) if amount else None,
        no_contract=RENT.get(perspective, NO_CONTRACT),
        contract_used=dollars(used),
        contract_share=round(100 * used / amount, 2) if amount else 0.0,
        contract_full=_used_up_in(document, amount),
    )


def _signed(key: str) -> int:
    """Costs stand in a plan as positive numbers, what is decided beside racks as what it earns."""
    return -1 if key == "opening_cents" else 1


def _used_up_in(document: Mapping[str, Any], amount: int) -> str | None:
    """The quarter in which the contract is used up, or None."""
    total = 0
    for entry in document["totals"]:
        total += entry["contract_used_cents"]
        if amount and total >= amount:
            return str(entry["period"])
    return None

"""What a plan is best at, in sentences for people."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.report.words import dollars, gap_text
from planner.run.document import npv_cents

if TYPE_CHECKING:
    from collections.abc import Mapping

_CENTS = 100


def aim_sentences(document: Mapping[str, Any]) -> tuple[str, ...]:
    """What the plan reaches and what no plan can; for money alone, its worth and bound.

    Parameters: document, the content of `plan.json`.
    """
    aim = document.get("aim")
    if aim is None:
        worth, limit = dollars(document["objective"]), dollars(document["bound"])
        return (f"worth {worth}, at most {limit} is possible, gap {gap_text(document['gap'])}",)
    if aim["form"] == "weights":
        words: tuple[str, ...] = (_weights(aim, document),)
    else:
        words = {"lexicographic": _lexicographic, "cost_per_token": _cost_per_token, "earliest": _earliest}[
            aim["form"]
        ](aim)
    return (*words, f"worth {dollars(npv_cents(document))} in money")


def _amount(text: str | Fraction | None, unit: str) -> str:
    if text is None:
        return "an amount that is not proven"
    value = Fraction(text)
    shown = f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.6g}"
    return f"{shown} {unit}"


def _value(aim: Mapping[str, Any], measure: str) -> str:
    entry = aim["values"][measure]
    return _amount(entry["value"], entry["unit"])


def _weights(aim: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    counted = {measure: Fraction(weight) for measure, weight in aim["weights"].items() if Fraction(weight)}
    gap = gap_text(document["gap"])
    if len(counted) > 1:
        weights = ", ".join(f"{measure} at {weight} USD" for measure, weight in counted.items())
        values = ", ".join(f"{measure} {_value(aim, measure)}" for measure in counted)
        sums = f"{dollars(document['objective'])} of at most {dollars(document['bound'])}"
        return f"made for {weights}: {values}; together {sums}, gap {gap}"
    [(measure, weight)] = counted.items()
    limit = _amount(Fraction(int(document["bound"]), _CENTS) / weight, aim["values"][measure]["unit"])
    which = "more" if weight > 0 else "less"
    return f"made for {measure}: {_value(aim, measure)}; no plan has {which} than {limit}, gap {gap}"


def _lexicographic(aim: Mapping[str, Any]) -> tuple[str, ...]:
    first, second = aim["first"]["measure"], aim["second"]["measure"]
    units = {measure: aim["values"][measure]["unit"] for measure in (first, second)}
    limits = [_amount(aim[key]["at_most"], units[measure]) for key, measure in (("first", first), ("second", second))]
    enough = f"at least {_amount(aim['first_at_least'], units[first])}"
    return (
        f"first {first}: {_value(aim, first)}; no plan has more than {limits[0]}",
        f"then {second}: {_value(aim, second)}; no plan with {enough} has more than {limits[1]}",
    )


def _cost_per_token(aim: Mapping[str, Any]) -> tuple[str, ...]:
    ratio = aim["usd_per_million_tokens"]
    sold = f"{_value(aim, aim['tokens'])} at {_amount(ratio['plan'], 'USD for each million')}"
    enough, least = _amount(aim["tokens_at_least"], "million"), _amount(ratio["at_least"], "USD")
    return (f"{sold}; no plan that sells {enough} spends less than {least}",)


def _earliest(aim: Mapping[str, Any]) -> tuple[str, ...]:
    unit = next(entry["unit"] for name, entry in aim["values"].items() if name.startswith(aim["measure"]))
    reached = f"{_amount(aim['target'], unit)} in {aim['reached_in']}"
    if aim["not_before"] == aim["reached_in"]:
        return (f"{reached}, and it is proven that no quarter before can",)
    return (f"{reached}; it is proven that no quarter before {aim['not_before']} can, those between are open",)

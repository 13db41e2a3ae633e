"""Public figures beside ours as lines of a table, and as the section of `docs/fidelity.md` that is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from planner.fidelity.figures import Reproduction

COLUMNS = ("figure", "unit", "published", "ours", "off", "basis", "source")
NUMBERS = (2, 3, 4)
"""Columns that hold numbers."""
BEGIN, END = "<!-- public figures: begin -->", "<!-- public figures: end -->"
_WHOLE_FROM = 1000


def number(value: Fraction) -> str:
    """Four significant digits, or every digit before the point where there are more."""
    if abs(value) >= _WHOLE_FROM:
        return f"{round(value):,}"
    return f"{float(value):.4g}"


def published(one: Reproduction) -> str:
    """The published figure, or its range."""
    return " – ".join(number(value) for value in one.figure.published)


def off(one: Reproduction) -> str:
    """How far ours lies off, signed, to a tenth of a per cent; `inside` within a published range."""
    if one.deviation == 0 and len(one.figure.published) > 1:
        return "inside"
    text = f"{float(one.deviation) * 100:+.1f} %"
    return text.replace("-", "−") if text not in {"+0.0 %", "-0.0 %"} else "0.0 %"


def sources(one: Reproduction) -> str:
    """Keys of the figure's sources, marked where an ingredient of ours cites one of them too."""
    return ", ".join(one.figure.source_keys) + ("*" if one.shares_source else "")


def cells(one: Reproduction) -> tuple[str, ...]:
    """One line of the table: its columns, with the reason where ours lies outside."""
    basis = one.figure.basis
    if one.figure.outside is not None:
        basis = f"{basis}. Outside: {one.figure.outside}"
    return one.figure.what, one.figure.ours.unit, published(one), number(one.value), off(one), basis, sources(one)


def summary(found: Sequence[Reproduction]) -> str:
    """How many figures there are, how many hold, and how many rest on other documents than their own."""
    held = [one for one in found if one.holds]
    own = sum(not one.shares_source for one in held)
    return (
        f"{len(found)} figures: {len(held)} within 3 %, {own} of them from other documents than their own; "
        f"{len(found) - len(held)} outside, each with its reason."
    )


def markdown(found: Sequence[Reproduction], citations: Mapping[str, str]) -> str:
    """The section of `docs/fidelity.md` that is made of all figures, between its marks.

    Parameters: found, in order of the table; citations of every source key.
    """
    lines = [BEGIN, summary(found), ""]
    for title in dict.fromkeys(one.group for one in found):
        lines += [f"### {title}", "", _row(COLUMNS), _row(["---"] * len(COLUMNS))]
        lines += [_row(cells(one)) for one in found if one.group == title]
        lines.append("")
    keys = sorted({key for one in found for key in one.figure.source_keys})
    lines += ["### Sources", "", _row(("key", "source")), _row(["---"] * 2)]
    lines += [_row((key, citations[key])) for key in keys]
    return "\n".join([*lines, "", END])


def _row(texts: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(text.split()).replace("|", "\\|") for text in texts) + " |"

"""The multipliers of a certificate, read strictly: non-negative integers for things that exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

SCALE_BITS = 30
_MAX_DIGITS = 60


class CertificateError(Exception):
    """The certificate cannot be read as multipliers of this portfolio."""


@dataclass(frozen=True)
class Multipliers:
    """Integers on the grid 2^-grid_bits; what is not named is 0."""

    limits: dict[str, dict[int, int]]
    """By limit name and period."""
    inside: dict[str, dict[tuple[str, int], int]]
    """Of limits inside one block: by limit name, then by system and period."""
    whole: dict[str, frozenset[tuple[str, int]]]
    """Limits inside one block that its whole racks have to keep: by limit name, systems and periods."""
    monotone: dict[tuple[str, str, int], int]
    """By `site:row`, system and period, from the second period on."""
    opening: dict[tuple[str, str, int], int]
    """By `site:block`, system and period, from the second period on."""
    units: dict[tuple[str, str, int], int]
    """By `site:block`, system and period, from the second period on."""
    contract: tuple[int, ...]
    """For each period."""
    amount: int
    demand: dict[tuple[str, int], int]
    """By site with a minimum demand, and period."""
    side: dict[str, int]
    """By row of the side program."""
    grid_bits: int = SCALE_BITS


def gain(multipliers: Mapping[tuple[str, str, int], int], place: str, system: str, period: int) -> int:
    """What standing in a period is worth through the rule that it stays: own multiplier less the next period's."""
    return multipliers.get((place, system, period), 0) - multipliers.get((place, system, period + 1), 0)


@dataclass(frozen=True)
class Known:
    """What a certificate may name."""

    periods: Sequence[str]
    rows: Callable[[str], bool]
    """Whether a `site:row` exists."""
    blocks: Callable[[str], bool]
    """Whether a `site:block` exists."""
    systems: Sequence[str]
    configurations: Sequence[str]
    demand_sites: Sequence[str]
    """Sites whose tariff has a minimum demand."""
    side_rows: Container[str]
    """Rows of the side program."""
    side_columns: Container[str]
    """What is decided beside the racks."""


def read_multipliers(certificate: Mapping[str, Any], known: Known, bits: int = SCALE_BITS) -> Multipliers:
    """Read the multipliers of a certificate or of a leaf. Raises CertificateError with the entry at fault.

    Parameters: bits, of the grid that they must be on.
    """
    if certificate.get("scale_bits") != bits:
        refuse("scale_bits", certificate.get("scale_bits"), str(bits))
    index = {quarter: t for t, quarter in enumerate(known.periods)}
    contract = _object(certificate, "contract")
    prices = _object(contract, "p")
    by_period = {_period(index, quarter): whole_number("contract", text) for quarter, text in prices.items()}
    return Multipliers(
        limits={
            name: {_period(index, quarter): whole_number(name, text) for quarter, text in _object(named, name).items()}
            for named in [_object(certificate, "limits")]
            for name in named
        },
        inside=_inside(certificate, known, index),
        whole=_whole(certificate, known, index),
        monotone=_triples(certificate, "monotone", known.rows, known.systems, index),
        opening=_triples(certificate, "open", known.blocks, known.systems, index),
        units=_triples(certificate, "units", known.blocks, known.systems, index),
        contract=tuple(by_period.get(t, 0) for t in range(len(known.periods))),
        amount=whole_number("contract", contract.get("h", "0")),
        demand=_demand(_object(certificate, "demand"), known, index),
        side=_side(certificate, known),
        grid_bits=bits,
    )


def _demand(stated: Mapping[str, Any], known: Known, index: dict[str, int]) -> dict[tuple[str, int], int]:
    strangers = sorted(set(stated) - set(known.demand_sites))
    if strangers:
        refuse("demand", strangers, "sites with a minimum demand")
    return {
        (site, _period(index, quarter)): whole_number("demand", text)
        for site in stated
        for quarter, text in _object(stated, site).items()
    }


def _side(certificate: Mapping[str, Any], known: Known) -> dict[str, int]:
    """Prices of rows; certificates of portfolios where nothing but racks is decided may leave the key out."""
    stated = _object(certificate, "side") if "side" in certificate else {}
    strangers = sorted(name for name in stated if name not in known.side_rows)
    if strangers:
        refuse("side", strangers, "rows of the side program")
    return {name: whole_number(f"side {name}", text) for name, text in stated.items()}


def _inside(
    certificate: Mapping[str, Any], known: Known, index: dict[str, int]
) -> dict[str, dict[tuple[str, int], int]]:
    found: dict[str, dict[tuple[str, int], int]] = {}
    named = _object(certificate, "inside")
    for name in named:
        by_system = _object(named, name)
        if not set(by_system) <= set(known.systems):
            refuse(name, sorted(set(by_system) - set(known.systems)), "systems of the portfolio")
        found[name] = {
            (system, _period(index, quarter)): whole_number(name, text)
            for system in by_system
            for quarter, text in _object(by_system, system).items()
        }
    return found


def _whole(
    certificate: Mapping[str, Any], known: Known, index: dict[str, int]
) -> dict[str, frozenset[tuple[str, int]]]:
    found: dict[str, frozenset[tuple[str, int]]] = {}
    named = _object(certificate, "whole")
    for name in named:
        by_system = _object(named, name)
        if not set(by_system) <= set(known.systems):
            refuse(name, sorted(set(by_system) - set(known.systems)), "systems of the portfolio")
        places = [(system, _period(index, quarter)) for system in by_system for quarter in _list(by_system, system)]
        if len(set(places)) < len(places):
            refuse(name, by_system, "each period once")
        found[name] = frozenset(places)
    return found


def _list(content: Mapping[str, Any], key: str) -> list[Any]:
    value = content.get(key)
    if not isinstance(value, list):
        refuse(key, value, "a list")
    return list(value or [])


def _triples(
    certificate: Mapping[str, Any],
    key: str,
    exists: Callable[[str], bool],
    systems: Sequence[str],
    index: dict[str, int],
) -> dict[tuple[str, str, int], int]:
    found: dict[tuple[str, str, int], int] = {}
    entries = certificate.get(key)
    if not isinstance(entries, list):
        refuse(key, entries, "a list")
    for entry in entries or []:
        if not isinstance(entry, list) or len(entry) != 4 or not exists(str(entry[0])) or entry[1] not in systems:
            refuse(key, entry, "[site:id, system or configuration, period, integer as text] of things that exist")
        place = (str(entry[0]), str(entry[1]), _period(index, entry[2]))
        if place[2] < 1 or place in found:
            refuse(key, entry, "each period once, monotony from the second period on")
        found[place] = whole_number(key, entry[3])
    return found


def _object(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    if not isinstance(value, dict):
        refuse(key, value, "an object")
    return dict(value or {})


def _period(index: dict[str, int], quarter: object) -> int:
    if not isinstance(quarter, str) or quarter not in index:
        refuse("period", quarter, "a decision period")
    return index[str(quarter)]


def whole_number(where: str, text: object) -> int:
    """A non-negative integer written as decimal text."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        refuse(where, text, "a whole number of 0 or more as text")
    return int(str(text))


def refuse(where: str, found: object, allowed: str) -> NoReturn:
    """Raise CertificateError: what was found where, and what is due."""
    msg = f"certificate.json: '{where}' holds {str(found)[:80]}; due is {allowed}"
    raise CertificateError(msg)

"""The multipliers of a certificate, read strictly: non-negative integers for things that exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCALE_BITS = 30
_MAX_DIGITS = 60


class CertificateError(Exception):
    """The certificate cannot be read as multipliers of this portfolio."""


@dataclass(frozen=True)
class Multipliers:
    """Integers on the grid 2^-30; what is not named is 0."""

    limits: dict[str, dict[int, int]]
    """By limit name and period."""
    monotone: dict[tuple[str, str, int], int]
    """By `site:row`, system and period, from the second period on."""
    opening: dict[tuple[str, str, int], int]
    """By `site:block`, system and period, from the second period on."""
    units: dict[tuple[str, str, int], int]
    """By `site:block`, system and period, from the second period on."""
    contract: tuple[int, ...]
    """For each period."""
    amount: int


def gain(multipliers: Mapping[tuple[str, str, int], int], place: str, system: str, period: int) -> int:
    """What standing in a period is worth through the rule that it stays: own multiplier less the next period's."""
    return multipliers.get((place, system, period), 0) - multipliers.get((place, system, period + 1), 0)


def read_multipliers(
    certificate: Mapping[str, Any],
    periods: Sequence[str],
    rows: Callable[[str], bool],
    blocks: Callable[[str], bool],
    systems: Sequence[str],
) -> Multipliers:
    """Read a certificate's content.

    Parameters: rows and blocks, whether a `site:id` exists. Raises CertificateError with the entry at fault.
    """
    if certificate.get("scale_bits") != SCALE_BITS:
        _refuse("scale_bits", certificate.get("scale_bits"), str(SCALE_BITS))
    if certificate.get("trees"):
        _refuse("trees", "some", "none in this version")
    index = {quarter: t for t, quarter in enumerate(periods)}
    contract = _object(certificate, "contract")
    prices = _object(contract, "p")
    by_period = {_period(index, quarter): _integer("contract", text) for quarter, text in prices.items()}
    return Multipliers(
        limits={
            name: {_period(index, quarter): _integer(name, text) for quarter, text in _object(named, name).items()}
            for named in [_object(certificate, "limits")]
            for name in named
        },
        monotone=_triples(certificate, "monotone", rows, systems, index),
        opening=_triples(certificate, "open", blocks, systems, index),
        units=_triples(certificate, "units", blocks, systems, index),
        contract=tuple(by_period.get(t, 0) for t in range(len(periods))),
        amount=_integer("contract", contract.get("h", "0")),
    )


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
        _refuse(key, entries, "a list")
    for entry in entries or []:
        if not isinstance(entry, list) or len(entry) != 4 or not exists(str(entry[0])) or entry[1] not in systems:
            _refuse(key, entry, "[site:id, system, period, integer as text] of things that exist")
        place = (str(entry[0]), str(entry[1]), _period(index, entry[2]))
        if place[2] == 0 or place in found:
            _refuse(key, entry, "each period once, from the second period on")
        found[place] = _integer(key, entry[3])
    return found


def _object(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    if not isinstance(value, dict):
        _refuse(key, value, "an object")
    return dict(value or {})


def _period(index: dict[str, int], quarter: object) -> int:
    if not isinstance(quarter, str) or quarter not in index:
        _refuse("period", quarter, "a decision period")
    return index[str(quarter)]


def _integer(where: str, text: object) -> int:
    """A non-negative integer written as decimal text."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        _refuse(where, text, "a whole number of 0 or more as text")
    return int(str(text))


def _refuse(where: str, found: object, allowed: str) -> None:
    msg = f"certificate.json: '{where}' holds {str(found)[:80]}; due is {allowed}"
    raise CertificateError(msg)

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
    inside: dict[str, dict[tuple[str, int], int]]
    """Of limits inside one block: by limit name, then by system and period."""
    monotone: dict[tuple[str, str, int], int]
    """By `site:row`, system and period, from the second period on."""
    opening: dict[tuple[str, str, int], int]
    """By `site:block`, system and period, from the second period on."""
    units: dict[tuple[str, str, int], int]
    """By `site:block`, system and period, from the second period on."""
    contract: tuple[int, ...]
    """For each period."""
    amount: int
    floors: dict[tuple[str, str, int], int]
    """Of a branch: by `site:row`, configuration and period."""
    demand: dict[tuple[str, int], int]
    """By site with a minimum demand, and period."""


Place = tuple[str, str, int]
"""`site:row`, configuration and period."""


@dataclass(frozen=True)
class Branch:
    """One leaf of a proof: the counts that it covers, and the multipliers that bound them."""

    most: dict[Place, int]
    least: dict[Place, int]
    multipliers: Multipliers


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


def read_branches(certificate: Mapping[str, Any], known: Known) -> list[Branch]:
    """Read a certificate: its own multipliers as one branch, or every leaf of its tree.

    A tree splits the whole numbers of one count in two at each node, so its leaves cover every plan. Raises
    CertificateError with the entry at fault.
    """
    if certificate.get("scale_bits") != SCALE_BITS:
        _refuse("scale_bits", certificate.get("scale_bits"), str(SCALE_BITS))
    trees = _object(certificate, "trees")
    if set(trees) - {"problem"}:
        _refuse("trees", sorted(trees), "nothing, or one tree named 'problem'")
    own = Branch({}, {}, read_multipliers(certificate, known))
    if own.multipliers.floors:
        _refuse("floors", sorted(own.multipliers.floors), "none outside a tree")
    return _leaves(_object(trees, "problem"), known, {}, {}) if trees else [own]


def _leaves(node: Mapping[str, Any], known: Known, most: dict[Place, int], least: dict[Place, int]) -> list[Branch]:
    found: list[Branch] = []
    waiting = [(node, most, least)]
    while waiting:
        node, most, least = waiting.pop()
        if "at_most" not in node:
            multipliers = read_multipliers(node, known)
            if not set(multipliers.floors) <= set(least):
                _refuse("floors", sorted(set(multipliers.floors) - set(least)), "counts with a floor in the branch")
            found.append(Branch(most, least, multipliers))
            continue
        place, count = _split(node, known)
        waiting.append((_object(node, "below"), {**most, place: min(count, most.get(place, count))}, least))
        waiting.append((_object(node, "above"), most, {**least, place: max(count + 1, least.get(place, 0))}))
    return found


def _split(node: Mapping[str, Any], known: Known) -> tuple[Place, int]:
    row, configuration, count = node.get("row"), node.get("configuration"), node.get("at_most")
    if not isinstance(row, str) or not known.rows(row) or configuration not in known.configurations:
        _refuse("trees", [row, configuration], "a row and a configuration that exist")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        _refuse("trees", count, "a whole number of racks")
    index = {quarter: t for t, quarter in enumerate(known.periods)}
    return (str(row), str(configuration), _period(index, node.get("period"))), int(count or 0)


def read_multipliers(certificate: Mapping[str, Any], known: Known) -> Multipliers:
    """Read the multipliers of a certificate or of a leaf. Raises CertificateError with the entry at fault."""
    index = {quarter: t for t, quarter in enumerate(known.periods)}
    contract = _object(certificate, "contract")
    prices = _object(contract, "p")
    by_period = {_period(index, quarter): _integer("contract", text) for quarter, text in prices.items()}
    return Multipliers(
        limits={
            name: {_period(index, quarter): _integer(name, text) for quarter, text in _object(named, name).items()}
            for named in [_object(certificate, "limits")]
            for name in named
        },
        inside=_inside(certificate, known, index),
        monotone=_triples(certificate, "monotone", known.rows, known.systems, index),
        opening=_triples(certificate, "open", known.blocks, known.systems, index),
        units=_triples(certificate, "units", known.blocks, known.systems, index),
        contract=tuple(by_period.get(t, 0) for t in range(len(known.periods))),
        amount=_integer("contract", contract.get("h", "0")),
        floors=_triples(certificate, "floors", known.rows, known.configurations, index, first=0),
        demand=_demand(_object(certificate, "demand"), known, index),
    )


def _demand(stated: Mapping[str, Any], known: Known, index: dict[str, int]) -> dict[tuple[str, int], int]:
    strangers = sorted(set(stated) - set(known.demand_sites))
    if strangers:
        _refuse("demand", strangers, "sites with a minimum demand")
    return {
        (site, _period(index, quarter)): _integer("demand", text)
        for site in stated
        for quarter, text in _object(stated, site).items()
    }


def _inside(
    certificate: Mapping[str, Any], known: Known, index: dict[str, int]
) -> dict[str, dict[tuple[str, int], int]]:
    found: dict[str, dict[tuple[str, int], int]] = {}
    named = _object(certificate, "inside")
    for name in named:
        by_system = _object(named, name)
        if not set(by_system) <= set(known.systems):
            _refuse(name, sorted(set(by_system) - set(known.systems)), "systems of the portfolio")
        found[name] = {
            (system, _period(index, quarter)): _integer(name, text)
            for system in by_system
            for quarter, text in _object(by_system, system).items()
        }
    return found


def _triples(
    certificate: Mapping[str, Any],
    key: str,
    exists: Callable[[str], bool],
    systems: Sequence[str],
    index: dict[str, int],
    first: int = 1,
) -> dict[tuple[str, str, int], int]:
    found: dict[tuple[str, str, int], int] = {}
    entries = certificate.get(key)
    if not isinstance(entries, list):
        _refuse(key, entries, "a list")
    for entry in entries or []:
        if not isinstance(entry, list) or len(entry) != 4 or not exists(str(entry[0])) or entry[1] not in systems:
            _refuse(key, entry, "[site:id, system or configuration, period, integer as text] of things that exist")
        place = (str(entry[0]), str(entry[1]), _period(index, entry[2]))
        if place[2] < first or place in found:
            _refuse(key, entry, "each period once, monotony from the second period on")
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

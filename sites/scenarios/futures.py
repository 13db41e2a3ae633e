"""Scenario files with those that they include: every scenario by name, with its overrides in order of inheritance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sites import library
from sites.faults import Fault, InputError
from sites.loading import load_document, read_bytes
from sites.nearest import shortened, unknown
from sites.scenarios.paths import PathError, parse_path
from sites.schema.scenario import BASE, ScenarioFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sites.loading import Document
    from sites.schema.common import Provenance
    from sites.schema.scenario import Override, Scenario

DOMAINS = ("portfolio", "sites", "catalog")
"""Where a path may begin."""


@dataclass(frozen=True)
class Inherited:
    """One override of a scenario, and the scenario that it was written in."""

    origin: str
    override: Override
    provenance: Provenance


@dataclass(frozen=True)
class Future:
    """A scenario with everything that it inherits."""

    name: str
    title: str
    file: str
    """Of the scenario; empty for the base."""
    overrides: tuple[Inherited, ...] = ()
    """Those of the scenarios that it extends first."""
    extends: tuple[str, ...] = ()


BASE_FUTURE = Future(BASE, "The input as it stands", "")


def load_futures(sources: Sequence[Path | str], folder: Path = Path()) -> dict[str, Future]:
    """Every scenario of some files and of those that they include, by name; the base first.

    Parameters: sources, names of the library, or paths relative to `folder`. Raises InputError with every fault.
    """
    documents: dict[Path, Document[ScenarioFile]] = {}
    for source in sources:
        _load(_file_of(str(source), folder), documents, ())
    scenarios: dict[str, tuple[Scenario, Document[ScenarioFile], int]] = {}
    faults: list[Fault] = []
    for document in documents.values():
        for index, scenario in enumerate(document.value.scenarios):
            if scenario.name == BASE:
                message = f"'{BASE}' is the input as it stands; name this scenario otherwise"
                faults.append(document.fault(message, "scenarios", index, "name"))
            elif scenario.name in scenarios:
                first = scenarios[scenario.name][1].file
                message = f"scenario '{scenario.name}' stands in {first} already; rename one"
                faults.append(document.fault(message, "scenarios", index, "name"))
            else:
                scenarios[scenario.name] = scenario, document, index
    for scenario, document, index in scenarios.values():
        faults += _faults_of(scenario, document, index, scenarios.keys())
    if faults:
        raise InputError(faults)
    resolved = {name: _future(one, document.file, scenarios) for name, (one, document, _) in scenarios.items()}
    return {BASE: BASE_FUTURE} | resolved


def _file_of(source: str, folder: Path) -> Path:
    """The file that a library name or a path stands for."""
    if source.endswith((".yaml", ".yml")) or "/" in source:
        return folder / source
    named = library.find_scenarios(source)
    if named is None:
        known = unknown("scenario file", source, library.scenario_names())
        raise InputError([Fault(shortened(source), None, "", f"{known}; or give a path such as './scenarios.yaml'")])
    return named


def _load(file: Path, documents: dict[Path, Document[ScenarioFile]], trail: tuple[Path, ...]) -> None:
    """Load a file after those that it includes, each once."""
    place = file.resolve()
    if place in documents or place in trail:
        return
    document = load_document(read_bytes(file), ScenarioFile, str(file))
    for index, source in enumerate(document.value.include):
        try:
            _load(_file_of(source, file.parent), documents, (*trail, place))
        except InputError as error:
            known = [fault for fault in error.faults if fault.line is not None]
            here = [document.fault(one.message, "include", index) for one in error.faults if one.line is None]
            raise InputError([*known, *here]) from None
    documents[place] = document


def _faults_of(
    scenario: Scenario, document: Document[ScenarioFile], index: int, names: Iterable[str]
) -> Iterator[Fault]:
    """Bases that exist, and paths that can be read."""
    known = {*names, BASE}
    for position, base in enumerate(scenario.extends):
        if base not in known:
            yield document.fault(unknown("scenario", base, known), "scenarios", index, "extends", position)
    for position, override in enumerate(scenario.overrides):
        for key in ("path", "needs"):
            text = getattr(override, key)
            if text is None:
                continue
            try:
                check_path(text)
            except PathError as error:
                yield document.fault(str(error), "scenarios", index, "overrides", position, key)


def check_path(text: str) -> None:
    """Raise PathError unless a path can be read and begins where one may."""
    steps = parse_path(text)
    if steps[0].text not in DOMAINS:
        msg = f"{unknown('document', steps[0].text, DOMAINS)}; a path begins with one of them"
        raise PathError(msg)
    chooses = len(steps) > 1 and not steps[1].is_key
    if (steps[0].text == "sites") != chooses:
        due = "choose sites: 'sites[*].…' or 'sites[NAME].…'" if not chooses else "only 'sites' takes brackets"
        msg = f"found '{shortened(text)}'; {due}"
        raise PathError(msg)
    if len(steps) == 1 + chooses:
        msg = f"found '{shortened(text)}'; name a key below it"
        raise PathError(msg)


def _future(
    scenario: Scenario, file: str, scenarios: dict[str, tuple[Scenario, Document[ScenarioFile], int]]
) -> Future:
    order: list[Scenario] = []
    _in_order(scenario, scenarios, order, (), file)
    overrides = tuple(
        Inherited(one.name, override, override.provenance or one.provenance)
        for one in order
        for override in one.overrides
    )
    return Future(scenario.name, scenario.title, file, overrides, scenario.extends)


def _in_order(
    scenario: Scenario,
    scenarios: dict[str, tuple[Scenario, Document[ScenarioFile], int]],
    order: list[Scenario],
    trail: tuple[str, ...],
    file: str,
) -> None:
    """Bases before those that extend them, each once."""
    if scenario.name in trail:
        circle = " → ".join((*trail[trail.index(scenario.name) :], scenario.name))
        raise InputError([Fault(file, None, scenario.name, f"scenarios extend each other in a circle: {circle}")])
    if scenario in order:
        return
    for base in scenario.extends:
        if base != BASE:
            _in_order(scenarios[base][0], scenarios, order, (*trail, scenario.name), file)
    order.append(scenario)

"""A future applied to input files: the files with its changes, and what was changed where."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from sites.faults import Fault, InputError
from sites.nearest import unknown
from sites.scenarios.counts import is_count
from sites.scenarios.edits import EditError, as_yaml, edited
from sites.scenarios.paths import Place, find_places, parse_path, place_text, value_at
from sites.schema.catalog import CatalogFile
from sites.schema.portfolio import PortfolioFile
from sites.schema.site import SiteFile
from sites.yaml_nodes import plain_value, read_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from sites.inputs import InputFile
    from sites.scenarios.futures import Future, Inherited
    from sites.scenarios.paths import Found, Step

_MODELS: dict[str, type[BaseModel]] = {"portfolio": PortfolioFile, "site": SiteFile, "catalog": CatalogFile}
MISSING = "(missing)"
"""What is shown where a key was added or taken away."""


@dataclass(frozen=True)
class Change:
    """One value that an override changes."""

    file: str
    place: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Applied:
    """What became of one override."""

    inherited: Inherited
    changes: tuple[Change, ...]
    said: str | None = None
    """Why nothing changed, where that is allowed."""


@dataclass(frozen=True)
class Resolved:
    """Input files under a future."""

    files: tuple[InputFile, ...]
    """In their order; files that nothing changes are the same bytes."""
    applied: tuple[Applied, ...]

    @property
    def n_changes(self) -> int:
        """Values that differ from the base."""
        return sum(len(one.changes) for one in self.applied)


class Documents:
    """Input files as values, read once and shared by all futures; a future copies what it changes."""

    def __init__(self, files: Sequence[InputFile]) -> None:
        """Keep the files; a site that cannot be read is one without keys, which nothing changes."""
        self.files = tuple(files)
        self._values: dict[str, Any] = {}
        self._unread: set[str] = set()
        [portfolio] = [file for file in files if file.role == "portfolio"]
        self.start: str = self.value(portfolio)["start"]

    def value(self, file: InputFile) -> Any:
        """The content of one of the files; not to be changed."""
        if file.name not in self._values:
            self._values[file.name] = self._read(file)
        return self._values[file.name]

    def _read(self, file: InputFile) -> Any:
        try:
            return plain_value(read_nodes(file.content, file.name)[0])
        except InputError:
            if file.role != "site":
                raise
            self._unread.add(file.name)
            return {}

    def under(self, future: Future) -> Resolved:
        """The files under a future.

        Raises InputError for every override whose path leads nowhere or that changes nothing without being allowed
        to, and for changes that cannot be made to what stands there.
        """
        changed: dict[str, Any] = {}
        applied: list[Applied] = []
        faults: list[Fault] = []
        for inherited in future.overrides:
            try:
                applied.append(self._apply(inherited, changed))
            except EditError as error:
                key = f"scenario '{future.name}': {inherited.override.path}"
                if inherited.origin != future.name:
                    key += f" (from '{inherited.origin}')"
                faults.append(Fault(future.file, None, key, str(error)))
        if faults:
            raise InputError(faults)
        files = tuple(
            replace(file, content=_written(changed[file.name])) if file.name in changed else file for file in self.files
        )
        return Resolved(files, tuple(applied))

    def _apply(self, inherited: Inherited, changed: dict[str, Any]) -> Applied:
        override = inherited.override
        if override.needs is not None and not any(found.places for _, found in self._found(override.needs, changed)):
            return Applied(inherited, (), f"there is no {override.needs}")
        found = self._found(override.path, changed)
        adds = "value" in override.model_fields_set
        changes: list[Change] = []
        n_places = 0
        for file, places in found:
            # From the last on, so that taking items out of a list moves none that is still to be taken.
            for place in [*(places.absent if adds else ()), *reversed(places.places)]:
                n_places += 1
                document = changed.get(file.name, self.value(file))
                change = self._change(file, document, place, inherited)
                if change is None:
                    continue
                if file.name not in changed:
                    changed[file.name] = copy.deepcopy(document)
                _put(changed[file.name], place, change.after)
                changes.append(change)
        if changes:
            return Applied(inherited, tuple(reversed(changes)))
        if override.where == "present":
            return Applied(inherited, (), "nothing there changes" if n_places else f"there is no {override.path}")
        reasons = dict.fromkeys(f"{file.name}: {reason}" for file, places in found for reason in places.reasons)
        told = "; ".join(list(reasons)[:3]) or self._no_site(override.path)
        message = "nothing there changes" if n_places else f"the path leads nowhere: {told}"
        msg = f"{message}; mend it, or write 'where: present' if that may be"
        raise EditError(msg)

    def _no_site(self, path: str) -> str:
        """Why a path means none of the files, which only one that names a site can do."""
        return unknown("site", parse_path(path)[1].text, [_site_of(file) for file in self.files if file.role == "site"])

    def _change(self, file: InputFile, document: Any, place: Place, inherited: Inherited) -> Change | None:
        """What an override makes of one place; None where that is what stands there already."""
        override = inherited.override
        above = value_at(document, place[:-1])
        exists = isinstance(above, list) or place[-1] in above
        before = above[place[-1]] if exists else MISSING
        takes_away = "value" in override.model_fields_set and override.value is None
        try:
            counts = override.factor is not None and is_count(_MODELS[file.role], place)
            after = MISSING if takes_away else edited(before, override, self.start, is_count=counts)
        except EditError as error:
            msg = f"{file.name}: {place_text(place)}: {error}"
            raise EditError(msg) from None
        if takes_away and not exists:
            return None
        if exists and not takes_away and after == before:
            return None
        return Change(file.name, place_text(place), before, after)

    def _found(self, path: str, changed: dict[str, Any]) -> list[tuple[InputFile, Found]]:
        """Where a path leads in each document that it may mean."""
        domain, *steps = parse_path(path)
        role = {"portfolio": "portfolio", "sites": "site", "catalog": "catalog"}[domain.text]
        files = [file for file in self.files if file.role == role]
        if role == "site":
            chosen, *steps = steps
            files = [file for file in files if chosen.text in {"*", _site_of(file)}]
        if role == "catalog":
            files = self._with_key(files, steps[0]) or files
        return [(file, self._places(file, steps, changed)) for file in files]

    def _places(self, file: InputFile, steps: Sequence[Step], changed: dict[str, Any]) -> Found:
        found = find_places(changed.get(file.name, self.value(file)), steps)
        if file.name in self._unread:
            found.absent.clear()  # nothing is added to it, so that its own unit says what is wrong with it
        return found

    def _with_key(self, files: Sequence[InputFile], step: Step) -> list[InputFile]:
        """Files of the catalogue that have a top key."""
        return [file for file in files if step.text == "*" or step.text in self.value(file)]


def _put(document: Any, place: Place, after: Any) -> None:
    above = value_at(document, place[:-1])
    if after is MISSING:
        del above[place[-1]]
    else:
        above[place[-1]] = after


def _site_of(file: InputFile) -> str:
    """Name of the site that a file is of."""
    return PurePosixPath(file.name).stem


def for_site(files: Sequence[InputFile], site: str) -> tuple[InputFile, ...]:
    """Input files of a portfolio with one of its sites alone, and with the openings of that site.

    Parameters: files, as a world keeps them; site, its name. Raises KeyError for another name.
    """
    names = [_site_of(file) for file in files if file.role == "site"]
    if site not in names:
        raise KeyError(site)
    kept = [file for file in files if file.role != "site" or _site_of(file) == site]
    if len(names) == 1:
        return tuple(kept)
    [portfolio] = [file for file in files if file.role == "portfolio"]
    value: Any = plain_value(read_nodes(portfolio.content, portfolio.name)[0])
    alone = value | {"sites": [value["sites"][names.index(site)]]}
    if value.get("openings"):
        alone["openings"] = [one for one in value["openings"] if one["site"] == site]
    return tuple(replace(file, content=_written(alone)) if file is portfolio else file for file in kept)


def _written(value: Any) -> bytes:
    """A changed document; it does not name the future, so that the same changes make the same bytes."""
    return (as_yaml(value) + "\n").encode("utf-8")

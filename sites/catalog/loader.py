"""Read the catalogue: every entry once, every published figure with a source that resolves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from sites.faults import Fault, InputError
from sites.inputs import InputFile
from sites.loading import Document, load_document, read_bytes
from sites.nearest import unknown
from sites.schema.catalog import CatalogFile, PowerEquipment, Profile, RackSystem, SwitchEquipment
from sites.schema.common import Sourced, Status
from sites.schema.cooling_equipment import CoolingEquipment
from sites.schema.economics import EconomicEntry
from sites.schema.media import Cabling, Medium, Wiring
from sites.schema.throughput import ThroughputBasis
from sites.throughput_checks import throughput_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from sites.explain import Step

Entry = TypeVar(
    "Entry",
    RackSystem,
    PowerEquipment,
    CoolingEquipment,
    SwitchEquipment,
    Medium,
    Cabling,
    Wiring,
    ThroughputBasis,
    EconomicEntry,
)
STANDARD = "standard"
_KEY = re.compile(r"\S+")


@dataclass(frozen=True)
class Configuration:
    """A rack system at one power profile; what a planner places."""

    name: str
    """`system/profile`, or just `system` for the profile named `standard`."""
    system: RackSystem
    profile: Profile

    @property
    def disabled_reason(self) -> str | None:
        """Why it cannot be planned, or None."""
        if not self.system.enabled:
            return self.system.disabled_reason or "the system is disabled in the catalogue"
        return None if self.profile.enabled else "the profile is disabled in the catalogue"


@dataclass(frozen=True)
class Catalog:
    """All entries of the catalogue by name."""

    rack_systems: dict[str, RackSystem]
    power: dict[str, PowerEquipment]
    cooling: dict[str, CoolingEquipment]
    switches: dict[str, SwitchEquipment]
    sources: dict[str, str]
    """Citation of each source key."""
    files: tuple[InputFile, ...] = field(default=(), repr=False)
    media: dict[str, Medium] = field(default_factory=dict)
    cabling: dict[str, Cabling] = field(default_factory=dict)
    wirings: dict[str, Wiring] = field(default_factory=dict)
    throughput: dict[str, ThroughputBasis] = field(default_factory=dict)
    economics: dict[str, EconomicEntry] = field(default_factory=dict)

    def configuration(self, name: str) -> Configuration:
        """The configuration of this name; raises KeyError whose text names the nearest one."""
        system_name, _, profile_name = name.partition("/")
        system = self.rack_systems.get(system_name)
        for profile in system.profiles if system is not None else ():
            if system is not None and configuration_name(system, profile) == name and profile_name != STANDARD:
                return Configuration(name, system, profile)
        raise KeyError(unknown("configuration", name, (one.name for one in self.configurations())))

    def configurations(self) -> tuple[Configuration, ...]:
        """Every configuration, disabled ones included, in order of the files."""
        return tuple(
            Configuration(configuration_name(system, profile), system, profile)
            for system in self.rack_systems.values()
            for profile in system.profiles
        )


def configuration_name(system: RackSystem, profile: Profile) -> str:
    """`system/profile`, or just the system's name for its `standard` profile."""
    return system.name if profile.name == STANDARD else f"{system.name}/{profile.name}"


@cache
def load_catalog() -> Catalog:
    """The bundled catalogue, read once; raises InputError with every fault of its files."""
    return read_catalog(resources.files("sites.catalog") / "data")


def read_catalog(folder: Path | Traversable) -> Catalog:
    """The catalogue of all `*.yaml` files of a folder, in order of their names."""
    files = [one for one in folder.iterdir() if one.name.endswith(".yaml")]
    if not files:
        raise InputError([Fault(str(folder), None, "", "the catalogue has no '*.yaml' file")])
    named = sorted(files, key=lambda one: one.name)
    return parse_catalog([InputFile("catalog", f"catalog/{one.name}", _content(one)) for one in named])


def _content(file: Path | Traversable) -> bytes:
    from pathlib import Path

    return read_bytes(file) if isinstance(file, Path) else file.read_bytes()


def parse_catalog(files: Sequence[InputFile]) -> Catalog:
    """The catalogue that these files hold together; raises InputError with every fault of all of them."""
    documents, faults = [], list[Fault]()
    for file in files:
        try:
            documents.append(_document(file.content, file.name))
        except InputError as error:
            faults.extend(error.faults)
    catalog = Catalog({}, {}, {}, {}, {}, tuple(files))
    for document in documents:
        faults.extend(_merge(catalog, document))
        faults.extend(_unresolved_sources(document))
    if len(documents) == len(files):
        for document in documents:
            faults.extend(throughput_faults(document, catalog.rack_systems))
    if faults:
        raise InputError(faults)
    return catalog


@lru_cache(maxsize=128)
def _document(content: bytes, name: str) -> Document[CatalogFile]:
    """A file of the catalogue; most scenarios of a batch leave most of its files as they are."""
    return load_document(content, CatalogFile, name)


def _merge(catalog: Catalog, document: Document[CatalogFile]) -> Iterator[Fault]:
    """Enter a file's entries; a name that is taken already is a fault."""
    value = document.value
    yield from _enter(catalog.rack_systems, value.rack_systems, "rack_systems", document)
    yield from _enter(catalog.power, value.power, "power", document)
    yield from _enter(catalog.cooling, value.cooling, "cooling", document)
    yield from _enter(catalog.switches, value.switches, "switches", document)
    yield from _enter(catalog.media, value.media, "media", document)
    yield from _enter(catalog.cabling, value.cabling, "cabling", document)
    yield from _enter(catalog.wirings, value.wirings, "wirings", document)
    yield from _enter(catalog.throughput, value.throughput, "throughput", document)
    yield from _enter(catalog.economics, value.economics, "economics", document)
    for key, citation in value.sources.items():
        if catalog.sources.setdefault(key, citation) != citation:
            yield document.fault("another file gives this key another source; rename one of them", "sources", key)
    for index, system in enumerate(value.rack_systems):
        names = [profile.name for profile in system.profiles]
        for position in _repeated(names):
            message = f"this system has the profile '{names[position]}' twice; rename or remove one"
            yield document.fault(message, "rack_systems", index, "profiles", position, "name")


def _enter(
    entries: dict[str, Entry], new: tuple[Entry, ...], key: str, document: Document[CatalogFile]
) -> Iterator[Fault]:
    for index, entry in enumerate(new):
        if entries.setdefault(entry.name, entry) is not entry:
            message = f"'{entry.name}' is in the catalogue already; rename or remove one of them"
            yield document.fault(message, key, index, "name")


def _repeated(names: Sequence[str]) -> list[int]:
    """Positions of names that stood earlier in the list."""
    return [index for index, name in enumerate(names) if name in names[:index]]


def _unresolved_sources(document: Document[CatalogFile]) -> Iterator[Fault]:
    """Measured and published figures must cite keys of the file's `sources`; estimates may give their reasoning."""
    known = document.value.sources
    for path, figure in _sourced(document.value, ()):
        if figure.status in {Status.ASSUMPTION, Status.ESTIMATE}:
            continue
        for key in (part.strip() for part in figure.source.split(",")):
            if not _KEY.fullmatch(key):
                message = f"found '{key}'; a {figure.status} figure must cite keys of 'sources', separated by commas"
                yield document.fault(message, *path, "source")
            elif key not in known:
                yield document.fault(unknown("source key", key, known), *path, "source")


def _sourced(value: object, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Sourced[object]]]:
    """Every sourced figure below a value, with its path."""
    if isinstance(value, Sourced):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _sourced(getattr(value, name), (*path, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _sourced(item, (*path, index))

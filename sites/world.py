"""The world of one plan: a portfolio, its sites and the catalogue, loaded together and checked against each other."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sites import library
from sites.catalog.loader import load_catalog, parse_catalog
from sites.equipment import site_cooling_equipment, site_power_equipment, site_switch_equipment
from sites.faults import Fault, InputError
from sites.inputs import InputFile
from sites.loading import Document, document_format, listed_texts, load_document, read_bytes
from sites.nearest import shortened, unknown
from sites.portfolio_checks import portfolio_faults
from sites.references import site_faults
from sites.schema.portfolio import PortfolioFile, SiteEntry
from sites.schema.site import SiteFile
from sites.throughput_csv import read_pilot_files, with_pilots
from sites.yaml_nodes import plain_value, read_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.catalog.loader import Catalog

__all__ = [
    "InputFile",
    "World",
    "WorldSite",
    "gather_files",
    "input_hash",
    "load_world",
    "load_world_from_inputs",
    "save_inputs",
    "site_cooling_equipment",
    "site_power_equipment",
    "site_switch_equipment",
    "world_of_files",
]

RESOLVED = "resolved.json"
RESOLVED_FORMAT = "gigaplan-inputs/1"
PLACEHOLDER = "site-to-plan"
"""Name that the library's `default` portfolio gives its site and itself; the name of a bare site file replaces it."""
_SITE_FORMAT = "gigaplan-site/1"
_SITE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ROLES = ("portfolio", "site", "throughput", "catalog")


@dataclass(frozen=True)
class WorldSite:
    """One site of the portfolio."""

    name: str
    """The site file's own name, unique in the portfolio."""
    entry: SiteEntry
    site: SiteFile


@dataclass(frozen=True)
class World:
    """Everything that a plan is made from."""

    portfolio: PortfolioFile
    sites: tuple[WorldSite, ...]
    """In order of the portfolio."""
    catalog: Catalog
    files: tuple[InputFile, ...]
    """Portfolio, sites and pilots' throughput in order of the portfolio, then the catalogue's files by name."""


def load_world(path: Path | str) -> World:
    """Load what `path` names: a library name, a portfolio file, a folder with `portfolio.yaml`, or a site file.

    A site file is planned under the library's `default` portfolio, which offers every supplied configuration and the
    default money. Raises InputError with every fault of the portfolio, its sites and the catalogue.
    """
    file = _resolve(path)
    content = read_bytes(file)
    if document_format(content, str(file)) == _SITE_FORMAT:
        return _world_of_site(file, content)
    try:
        portfolio = load_document(content, PortfolioFile, str(file))
    except InputError as error:
        raise InputError([*error.faults, *_faults_of_named_sites(content, file)]) from None
    contents: list[tuple[str, bytes] | None] = []
    faults: list[Fault] = []
    for index, entry in enumerate(portfolio.value.sites):
        try:
            contents.append(_site_content(entry.site, file.parent))
        except InputError as error:
            faults += [portfolio.fault(fault.message, "sites", index, "site") for fault in error.faults]
            contents.append(None)
    pilots, unread = _pilot_contents(portfolio, file.parent)
    return _assemble(portfolio, content, contents, load_catalog(), [*faults, *unread], pilots)


def gather_files(path: Path | str) -> tuple[InputFile, ...]:
    """The files that `path` names, as `World.files` holds them, found but not yet checked against each other.

    Parameters: path, as for `load_world`. Sites may be as faulty as they like, and are then known by the name of
    their file. Raises InputError with the faults of the portfolio, and for files that cannot be read at all.
    """
    file = _resolve(path)
    content = read_bytes(file)
    if document_format(content, str(file)) == _SITE_FORMAT:
        return _world_of_site(file, content).files
    portfolio = load_document(content, PortfolioFile, str(file))
    found: list[InputFile] = []
    faults: list[Fault] = []
    for index, entry in enumerate(portfolio.value.sites):
        try:
            shown, site = _site_content(entry.site, file.parent)
        except InputError as error:
            faults += [portfolio.fault(fault.message, "sites", index, "site") for fault in error.faults]
        else:
            found.append(InputFile("site", f"sites/{_name_of_site(site, shown)}.yaml", site))
    pilots, unread = _pilot_contents(portfolio, file.parent)
    if faults or unread:
        raise InputError([*faults, *unread])
    measured = [InputFile("throughput", f"throughput/{n}.csv", one) for n, (_, one) in enumerate(pilots, 1)]
    return (InputFile("portfolio", "portfolio.yaml", content), *found, *measured, *load_catalog().files)


def _name_of_site(content: bytes, shown: str) -> str:
    """The name that a site file gives, or that of the file where none can be read."""
    try:
        name = plain_value(read_nodes(content, shown)[0].items["name"])
    except (InputError, KeyError):
        name = None
    return name if isinstance(name, str) and _SITE_NAME.fullmatch(name) else Path(shown).stem


def _pilot_contents(portfolio: Document[PortfolioFile], folder: Path) -> tuple[list[tuple[str, bytes]], list[Fault]]:
    """Shown name and bytes of each throughput file that the portfolio names, and a fault for each unreadable one."""
    contents: list[tuple[str, bytes]] = []
    faults: list[Fault] = []
    for index, reference in enumerate(portfolio.value.throughput_files):
        try:
            contents.append((str(folder / reference), read_bytes(folder / reference)))
        except InputError as error:
            told = "; ".join(fault.message for fault in error.faults)
            message = f"'{shortened(reference)}': {told}; a path is relative to the folder of the portfolio"
            faults.append(portfolio.fault(message, "throughput_files", index))
    return contents, faults


def _faults_of_named_sites(content: bytes, portfolio_file: Path) -> list[Fault]:
    """Faults of the sites that a faulty portfolio names, so that all are told together."""
    faults: list[Fault] = []
    for reference in dict.fromkeys(listed_texts(content, str(portfolio_file), "sites", "site")):
        try:
            site_content = _site_content(reference, portfolio_file.parent)
        except InputError:
            continue  # the reference stands in the portfolio, which is to be mended first
        document, own = _load_site(site_content)
        faults += own if document is None else site_faults(document.value, load_catalog(), document.fault)
    return faults


def _resolve(path: Path | str) -> Path:
    """The file that a command-line argument names; library names win over files without a suffix."""
    text = str(path)
    named = library.find(text)
    if named is not None:
        return named
    file = Path(path)
    try:
        if (file / "portfolio.yaml").is_file():
            return file / "portfolio.yaml"
        if file.exists() or file.suffix or len(file.parts) > 1:
            return file
    except (OSError, ValueError):
        return file
    message = f"{unknown('library name', text, library.names())}; or name a portfolio or site file"
    raise InputError([Fault(shortened(text), None, "", message)])


def _site_content(reference: str, folder: Path) -> tuple[str, bytes]:
    """Shown name and bytes of the site file that a reference names."""
    path = _site_path(reference, folder)
    try:
        return str(path), read_bytes(path)
    except InputError as error:
        message = "; ".join(fault.message for fault in error.faults)
        told = f"site '{shortened(reference)}': {message}; a path is relative to the folder of the portfolio"
        raise InputError([Fault(str(path), None, "", told)]) from None


def _site_path(reference: str, folder: Path) -> Path:
    """The file of a site reference: a library name, or a path relative to the portfolio's folder."""
    if reference.endswith((".yaml", ".yml")) or "/" in reference:
        return folder / reference
    named = library.find_site(reference)
    if named is None:
        known = unknown("site", reference, library.site_names())
        raise InputError([Fault(reference, None, "", f"{known}; or give a path such as './site.yaml'")])
    return named


def _world_of_site(file: Path, content: bytes) -> World:
    """A bare site under the default portfolio, which takes the site's name."""
    site = load_document(content, SiteFile, str(file)).value
    template = read_bytes(library.default_portfolio())
    resolved = template.replace(PLACEHOLDER.encode(), site.name.encode())
    shown = str(library.default_portfolio())
    portfolio = load_document(resolved, PortfolioFile, shown)
    return _assemble(portfolio, resolved, [(str(file), content)], load_catalog(), [])


def _assemble(
    portfolio: Document[PortfolioFile],
    portfolio_content: bytes,
    contents: Sequence[tuple[str, bytes] | None],
    catalog: Catalog,
    faults: Sequence[Fault],
    pilots: Sequence[tuple[str, bytes]] = (),
) -> World:
    """Load the sites, check everything against everything, and put the world together or raise all faults.

    Parameters: contents, shown name and bytes of each site in order of the portfolio, None where it is unreadable;
    faults, those found so far; pilots, shown name and bytes of each throughput file in order of the portfolio.
    """
    found = list(faults)
    if pilots:
        try:
            catalog = with_pilots(catalog, read_pilot_files(pilots, catalog))
        except InputError as error:
            found += error.faults
    documents: list[Document[SiteFile] | None] = []
    for content in contents:
        document, site_errors = _load_site(content)
        documents.append(document)
        if document is not None:
            site_errors = site_faults(document.value, catalog, document.fault)
        found.extend(fault for fault in site_errors if fault not in found)
    found.extend(portfolio_faults(portfolio, documents, catalog))
    if found:
        raise InputError(found)
    files = [InputFile("portfolio", "portfolio.yaml", portfolio_content)]
    sites: list[WorldSite] = []
    for entry, document, content in zip(portfolio.value.sites, documents, contents, strict=True):
        if document is not None and content is not None:
            sites.append(WorldSite(document.value.name, entry, document.value))
            files.append(InputFile("site", f"sites/{document.value.name}.yaml", content[1]))
    files += [InputFile("throughput", f"throughput/{n}.csv", content) for n, (_, content) in enumerate(pilots, 1)]
    return World(portfolio.value, tuple(sites), catalog, (*files, *catalog.files))


def _load_site(content: tuple[str, bytes] | None) -> tuple[Document[SiteFile] | None, list[Fault]]:
    if content is None:
        return None, []
    try:
        return load_document(content[1], SiteFile, content[0]), []
    except InputError as error:
        return None, error.faults


def input_hash(world: World) -> str:
    """SHA-256 over names and contents of all input files in order, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in world.files:
        for part in (file.role.encode(), file.name.encode(), file.content):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()


def save_inputs(world: World, directory: Path) -> None:
    """Write every input file byte for byte below `directory`, and `resolved.json` that lists them in order."""
    for file in world.files:
        target = directory / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
    listed = [{"role": file.role, "name": file.name} for file in world.files]
    resolved = {"format": RESOLVED_FORMAT, "files": listed}
    (directory / RESOLVED).write_text(json.dumps(resolved, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load_world_from_inputs(directory: Path) -> World:
    """Load the world that `save_inputs` wrote, its catalogue included; raises InputError with every fault."""
    shown = str(directory / RESOLVED)
    files = [InputFile(role, name, read_bytes(directory / name)) for role, name in _listed_files(directory / RESOLVED)]
    return _world_of(files, f"{directory}/", shown)


def world_of_files(files: Sequence[InputFile]) -> World:
    """The world that input files describe, their catalogue included; raises InputError with every fault.

    Parameters: files, as a world keeps them.
    """
    return _world_of(list(files), "", RESOLVED)


def _world_of(files: list[InputFile], prefix: str, shown: str) -> World:
    """Parameters: prefix, of shown names; shown, the name of the list of files."""
    by_role = {role: [file for file in files if file.role == role] for role in _ROLES}
    if len(by_role["portfolio"]) != 1:
        raise InputError([Fault(shown, None, "files", f"found {len(by_role['portfolio'])} portfolios; one is due")])
    [portfolio_file] = by_role["portfolio"]
    catalog = parse_catalog(by_role["catalog"])
    portfolio = load_document(portfolio_file.content, PortfolioFile, f"{prefix}{portfolio_file.name}")
    n_sites, n_files = len(portfolio.value.sites), len(by_role["site"])
    if n_sites != n_files:
        raise InputError([Fault(shown, None, "files", f"found {n_files} sites; the portfolio names {n_sites}")])
    n_named, n_pilots = len(portfolio.value.throughput_files), len(by_role["throughput"])
    if n_named != n_pilots:
        message = f"found {n_pilots} throughput files; the portfolio names {n_named}"
        raise InputError([Fault(shown, None, "files", message)])
    contents = [(f"{prefix}{file.name}", file.content) for file in by_role["site"]]
    pilots = [(f"{prefix}{file.name}", file.content) for file in by_role["throughput"]]
    return _assemble(portfolio, portfolio_file.content, contents, catalog, [], pilots)


def _listed_files(path: Path) -> list[tuple[str, str]]:
    """Role and name of each file that a run's `resolved.json` lists; names must stay inside the folder."""
    try:
        resolved = json.loads(read_bytes(path))
        listed = [(entry["role"], entry["name"]) for entry in resolved["files"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        message = f"this is not a list of input files of the form '{RESOLVED_FORMAT}'; make the run again"
        raise _refused(path, message) from None
    if resolved.get("format") != RESOLVED_FORMAT:
        message = f"the format is not '{RESOLVED_FORMAT}'; make the run again"
        raise _refused(path, message)
    for role, name in listed:
        if role not in _ROLES or not isinstance(name, str):
            message = f"found role {role!r}; allowed: {', '.join(_ROLES)}"
            raise _refused(path, message)
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            message = f"'{shortened(name)}' is not a path inside the folder"
            raise _refused(path, message)
    return listed


def _refused(path: Path, message: str) -> InputError:
    return InputError([Fault(str(path), None, "files", message)])

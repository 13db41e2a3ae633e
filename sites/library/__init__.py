"""The bundled library: real sites, portfolios and toys, found by name.

`portfolios/NAME.yaml`, `sites/NAME.yaml`, `frontier/NAME.yaml` (sites that `python -m sites.frontier` writes),
`scenarios/NAME.yaml`, and one folder for each toy: `toys/NAME/portfolio.yaml` and `site.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent
DEFAULT = "default"
Kind = Literal["portfolio", "site", "toy"]
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_TITLE = re.compile(r"^title:\s*(?P<title>.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class LibraryEntry:
    """One portfolio, site or toy of the library."""

    name: str
    title: str
    kind: Kind
    path: Path


def entries() -> tuple[LibraryEntry, ...]:
    """Everything in the library that can be planned: portfolios, then sites, then toys, each by name."""
    found: dict[Kind, dict[str, Path]] = {
        "portfolio": _portfolios(),
        "site": _sites(),
        "toy": _toys("portfolio.yaml"),
    }
    return tuple(
        LibraryEntry(name, _title(path), kind, path)
        for kind, files in found.items()
        for name, path in sorted(files.items())
    )


def names() -> tuple[str, ...]:
    """Names that `find` knows."""
    return tuple(dict.fromkeys(entry.name for entry in entries()))


def find(name: str) -> Path | None:
    """The file that a name stands for, or None: a portfolio, else a toy's portfolio, else a site."""
    if _NAME.fullmatch(name) is None:
        return None
    files = _sites() | _toys("portfolio.yaml") | _portfolios()
    return files.get(name) or files.get(f"toy-{name}") or files.get(name.removeprefix("toy-"))


def site_names() -> tuple[str, ...]:
    """Names that a portfolio may use for a site."""
    return tuple(sorted(_sites() | _toys("site.yaml")))


def find_site(name: str) -> Path | None:
    """The site file that a portfolio's site name stands for, or None."""
    if _NAME.fullmatch(name) is None:
        return None
    files = _toys("site.yaml") | _sites()
    return files.get(name) or files.get(f"toy-{name}") or files.get(name.removeprefix("toy-"))


def default_portfolio() -> Path:
    """The portfolio under which a bare site file is planned."""
    return FOLDER / "portfolios" / f"{DEFAULT}.yaml"


def scenario_names() -> tuple[str, ...]:
    """Names of scenario files."""
    return tuple(sorted(_scenarios()))


def find_scenarios(name: str) -> Path | None:
    """The scenario file of this name, or None."""
    return _scenarios().get(name)


def _scenarios() -> dict[str, Path]:
    return {path.stem: path for path in (FOLDER / "scenarios").glob("*.yaml")}


def _portfolios() -> dict[str, Path]:
    return {path.stem: path for path in (FOLDER / "portfolios").glob("*.yaml") if path.stem != DEFAULT}


def _sites() -> dict[str, Path]:
    return {path.stem: path for folder in ("frontier", "sites") for path in (FOLDER / folder).glob("*.yaml")}


def _toys(file_name: str) -> dict[str, Path]:
    return {path.parent.name: path for path in (FOLDER / "toys").glob(f"*/{file_name}")}


def _title(path: Path) -> str:
    """The file's title, read without loading the whole of it."""
    match = _TITLE.search(path.read_text(encoding="utf-8"))
    return match["title"].strip("'\"") if match is not None else path.stem

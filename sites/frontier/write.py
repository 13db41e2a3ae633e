"""Writing the library's generated files from one edition of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sites import library
from sites.catalog.loader import load_catalog
from sites.frontier.documents import site_text
from sites.frontier.edition import read_edition
from sites.frontier.places import place_of
from sites.frontier.portfolio import Member, members, portfolio_text
from sites.yaml_nodes import plain_value, read_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

US, WORLD = "us-frontier", "world-frontier"
TITLES = {
    US: "Campuses of the United States with power to come, from 2027-Q1",
    WORLD: "Campuses of the world with power to come, from 2027-Q1",
}


def write_library(tables: Path, out: Path) -> list[Path]:
    """Write all generated sites and both portfolios; returns the files in order.

    Parameters: tables, folder of Epoch AI's tables; out, a library's folder, below which `frontier` and `portfolios`
    are written. Raises InputError where tables are faulty or a campus is not placed.
    """
    catalog = load_catalog()
    known = [Member(campus, place_of(campus.name)) for campus in read_edition(tables)]
    texts = {
        out / "frontier" / f"{one.place.site}.yaml": site_text(one.campus, one.place, catalog)
        for one in members(known, world=True)
        if one.place.is_generated
    }
    default = _default_portfolio()
    for name, title in TITLES.items():
        chosen = members(known, world=name == WORLD)
        texts[out / "portfolios" / f"{name}.yaml"] = portfolio_text(name, title, chosen, default)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _default_portfolio() -> Mapping[str, Any]:
    path = library.default_portfolio()
    node, _ = read_nodes(path.read_bytes(), str(path))
    return cast("Mapping[str, Any]", plain_value(node))

"""JSON Schema of the input files, for editors that complete and check while one writes."""

from __future__ import annotations

from typing import Any, Literal, get_args

from sites.nearest import unknown

Kind = Literal["site", "portfolio", "catalog", "scenarios"]
KINDS: tuple[str, ...] = get_args(Kind)


def export(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of file.

    Parameters: kind, `site`, `portfolio`, `catalog` or `scenarios`. Raises ValueError for another.
    """
    schema = _model(kind).model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _model(kind: str) -> Any:
    from sites.schema.catalog import CatalogFile
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.scenario import ScenarioFile
    from sites.schema.site import SiteFile

    models = {"site": SiteFile, "portfolio": PortfolioFile, "catalog": CatalogFile, "scenarios": ScenarioFile}
    if kind not in models:
        raise ValueError(unknown("kind of file", kind, models))
    return models[kind]

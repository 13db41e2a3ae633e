"""Which places of a document hold counts of whole things, by its schema: these are rounded down by a factor."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.scenarios.paths import Place


def is_count(model: type[BaseModel], place: Place) -> bool:
    """Whether the schema has nothing but whole numbers at a place.

    Parameters: model, of the whole document; place, keys and list positions from its top.
    """
    found: list[Any] = [model]
    for step in place:
        found = [below for one in found for below in _below(one, step)]
    kinds = {kind for one in found for kind in _plain(one)}
    return int in kinds and kinds <= {int, type(None)}


def _below(annotation: Any, step: str | int) -> Iterator[Any]:
    """Annotations of what stands at one step below an annotation."""
    for one in _plain(annotation):
        if isinstance(one, type) and issubclass(one, BaseModel):
            if step in one.model_fields:
                yield one.model_fields[str(step)].annotation
        elif isinstance(step, int) or getattr(one, "__origin__", None) is dict:
            yield from get_args(one)[-1:] if getattr(one, "__origin__", None) is dict else get_args(one)[:1]


def _plain(annotation: Any) -> Iterator[Any]:
    """An annotation without `Annotated`, and each of the alternatives of a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _plain(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for one in get_args(annotation):
            yield from _plain(one)
    else:
        yield annotation

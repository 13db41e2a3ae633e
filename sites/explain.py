"""What pydantic found wrong, said to a person: what was found, what is allowed, how to mend it."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from sites.nearest import nearest, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

Step: TypeAlias = str | int

_NAME_RULE = "lower-case letters, digits and hyphens, beginning with a letter or digit, at most 63 characters"
_DUE = {
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "dict_type": "a mapping of keys",
    "tuple_type": "a list ('- ' items)",
    "list_type": "a list ('- ' items)",
    "string_type": "text; if it is meant as text, put it in quotes",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
}


def message_of(error: ErrorDetails, model: type[BaseModel]) -> str:
    """One sentence for one pydantic error.

    Parameters: error, as pydantic gives it; model, the schema class of the whole file.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind in _DUE:
        return f"found {found(error['input'])}; {_DUE[kind]} is due"
    if kind == "missing":
        return f"the key '{error['loc'][-1]}' is missing{_hint_for(error, model)}; add it"
    if kind == "extra_forbidden":
        return _unknown_key(error, model)
    if kind == "value_error":
        return str(context["error"])
    bounds = _bound_message(kind, context)
    if bounds is not None:
        return f"found {found(error['input'])}; {bounds}"
    return _choice_message(error, context)


def _bound_message(kind: str, context: Mapping[str, Any]) -> str | None:
    """What range, length or form is allowed, for errors about those."""
    match kind:
        case "greater_than_equal":
            return f"{context['ge']} or more is allowed"
        case "less_than_equal":
            return f"{context['le']} or less is allowed"
        case "too_short":
            return f"at least {context['min_length']} item is due"
        case "string_too_short":
            return "empty text is not allowed; write something"
        case "string_too_long":
            return f"at most {context['max_length']} characters are allowed"
        case "string_pattern_mismatch" if context["pattern"].startswith("^[a-z0-9]"):
            return f"a name is due: {_NAME_RULE}"
        case "string_pattern_mismatch":
            return f"'{context['pattern'].strip('^$')}' is due"
        case _:
            return None


def _choice_message(error: ErrorDetails, context: Mapping[str, Any]) -> str:
    """Errors about one of several allowed words; anything else keeps pydantic's own sentence."""
    match error["type"]:
        case "literal_error" | "enum":
            value = error["input"]
            allowed = context["expected"]
        case "union_tag_invalid":
            value = context["tag"]
            allowed = context["expected_tags"]
        case "union_tag_not_found":
            return f"the key {context['discriminator']} is missing; it says which kind this is"
        case _:
            return f"found {found(error['input'])}; {shortened(error['msg'], 200)}"
    words = [word.strip().strip("'") for word in allowed.replace(" or ", ", ").split(",")]
    close = nearest(value, words) if isinstance(value, str) else None
    hint = f" (did you mean '{close}'?)" if close is not None else ""
    return f"found {found(value)}{hint}; allowed: {', '.join(words)}"


def _unknown_key(error: ErrorDetails, model: type[BaseModel]) -> str:
    """An unknown key and the nearest one that the schema knows there."""
    key = str(error["loc"][-1])
    known = _fields_at(model, error["loc"][:-1])
    close = nearest(key, known)
    if close is not None:
        return f"unknown key; did you mean '{close}'?"
    if " " in key:
        return "unknown key; if it belongs to the text before it, put that whole text in quotes"
    return f"unknown key; known here: {', '.join(sorted(known))}" if known else "unknown key; remove it"


def _hint_for(error: ErrorDetails, model: type[BaseModel]) -> str:
    """The near miss among the keys that are there, for a missing key that was only misspelt."""
    mapping = error["input"]
    if not isinstance(mapping, dict):
        return ""
    unknown = set(mapping) - _fields_at(model, error["loc"][:-1])
    close = nearest(str(error["loc"][-1]), unknown)
    return f" (is '{shortened(close)}' meant for it?)" if close is not None else ""


def found(value: object) -> str:
    """What stands in the file, named in a few words."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{shortened(value)}'"
    if isinstance(value, dict):
        return "a mapping of keys"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    return f"the number {shortened(str(value))}" if isinstance(value, (int, float)) else f"'{shortened(str(value))}'"


def _fields_at(model: type[BaseModel], path: tuple[Step, ...]) -> set[str]:
    """Keys that the schema knows at a path of the file."""
    annotations: list[Any] = [model]
    for step in path:
        annotations = [below for annotation in annotations for below in _step(annotation, step)]
    models = [one for annotation in annotations for one in _alternatives(annotation) if _is_model(one)]
    return {name for one in models for name in one.model_fields}


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _alternatives(annotation: Any) -> list[Any]:
    """An annotation without `Annotated`, split at its unions."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return [below for part in get_args(annotation) for below in _alternatives(part)]
    return [annotation]


def _step(annotation: Any, step: Step) -> list[Any]:
    """Annotations one step below; a union's tag picks its member and stays at the same place of the file."""
    below: list[Any] = []
    for one in _alternatives(annotation):
        origin = get_origin(one)
        if _is_model(one) and step in one.model_fields:
            below.append(one.model_fields[str(step)].annotation)
        elif _is_model(one) and isinstance(step, str) and step in _tags(one):
            below.append(one)
        elif origin in {tuple, list} and isinstance(step, int):
            below.append(get_args(one)[0])
        elif origin is dict:
            below.append(get_args(one)[1])
    return below


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    """The words by which a discriminated union knows this member."""
    kind = model.model_fields.get("kind")
    if kind is None or get_origin(kind.annotation) is not Literal:
        return ()
    return tuple(tag.value if isinstance(tag, Enum) else tag for tag in get_args(kind.annotation))

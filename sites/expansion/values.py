"""Catalogue figures that must be known: null is a fault, never zero and never unlimited."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from sites.schema.common import Sourced

T = TypeVar("T")


def known(figure: Sourced[T] | None, where: str, key: str) -> T:
    """The value of a figure; raises InputError that names `where` and `key` when it is missing or null."""
    if figure is None:
        message = f"'{key}' is missing; it decides a limit, so give a value with its source"
        raise InputError([Fault("catalogue", None, where, message)])
    if figure.value is None:
        message = f"'{key}' is null ({figure.reason}); it decides a limit, so give a value or choose other equipment"
        raise InputError([Fault("catalogue", None, where, message)])
    return figure.value

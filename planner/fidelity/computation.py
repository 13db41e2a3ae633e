"""What every computation of a public figure has in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from sites.schema.common import Model

if TYPE_CHECKING:
    from fractions import Fraction

    from planner.fidelity.reader import Reader

KILO, MEGA, GIGA, TERA, PETA = (10**exponent for exponent in (3, 6, 9, 12, 15))
HOURS_PER_YEAR = 8760


class Computation(Model):
    """How one kind of public figure follows from the catalogue; its fields are the basis that the source states."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """Unit of the result, as the published figure has it."""

    @abstractmethod
    def compute(self, reader: Reader) -> Fraction:
        """The figure in that unit; raises InputError where the catalogue leaves an ingredient open."""

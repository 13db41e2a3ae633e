"""A portfolio file: which sites and how much of each is ours, supply, money, contract and envelope."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sites import units
from sites.calendar import Quarter, quarter_index
from sites.schema.common import Model, Name, Provenance, Steps, Text
    floors: tuple[Floor, ...] = ()
    """What must stand or be served at the least, quarter by quarter, and what a shortfall costs."""
    shares: tuple[Share, ...] = ()
    """Concentration and exclusivity: how much of the plan a part of it may or must be."""
    tranches: tuple[Tranche, ...] = ()
    """Instalments that a milestone unlocks."""
    commitments: tuple[Commitment, ...] = ()
    """Take or pay."""
    termination: tuple[Termination, ...] = ()
    """What leaving a commitment costs."""

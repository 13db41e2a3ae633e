"""A batch file: portfolios × sites × scenarios × settings, as a grid, a list or drawn at random."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sites import units
from sites.schema.common import Model, Name, Provenance, Text
from sites.schema.scenario import BASE

ALL, EACH = "all", "each"
"""All sites planned jointly, and each planned for itself."""
MAX_UNITS = 1_000_000


class SettingsEntry(Model):
    """How units are planned."""

    name: Name = "default"
    backend: Literal["auto", "numpy", "numba", "cuda"] = "auto"
    seed: Annotated[int, Field(strict=True, ge=0)] = 0
    work_limit: Annotated[int, Field(strict=True, ge=1)] = 20_000
    """Search steps times lanes, not seconds, so that every machine comes to the same result."""
    gap: units.Share | None = Fraction(5, 1000)
    """Proven gap at which a search stops; null: the work limit alone."""


class Draw(Model):
    """Something that differs from sample to sample, by one of three distributions."""

    name: Name
    """Numbers depend on this name, the seed and the sample's number, and on nothing else."""
    paths: Annotated[tuple[Text, ...], Field(min_length=1)]
    """As in scenario files; all get the same number."""
    change: Literal["factor", "delay_quarters"]
    choice: Annotated[tuple[units.Coefficient, ...], Field(min_length=1)] | None = None
    weights: Annotated[tuple[units.Ratio, ...], Field(min_length=1)] | None = None
    """Of the choices; missing: all alike."""
    uniform: tuple[units.Ratio, units.Ratio] | None = None
    """Lowest and highest."""
    triangular: tuple[units.Ratio, units.Ratio, units.Ratio] | None = None
    """Lowest, most likely and highest."""
    where: Literal["present"] | None = None
    provenance: Provenance

    @model_validator(mode="after")
    def _one_distribution(self) -> Draw:
        given = [key for key in ("choice", "uniform", "triangular") if getattr(self, key) is not None]
        if len(given) != 1:
            msg = f"found {' and '.join(given) or 'no distribution'}; one of choice, uniform, triangular is due"
            raise ValueError(msg)
        for key in ("uniform", "triangular"):
            bounds = getattr(self, key)
            if bounds is not None and any(a > b for a, b in pairwise(bounds)):
                msg = f"'{key}' must ascend"
                raise ValueError(msg)
        if self.weights is not None and (self.choice is None or len(self.weights) != len(self.choice)):
            msg = f"found {len(self.weights)} weights; give one for each choice, or none"
            raise ValueError(msg)
        if self.weights is not None and not sum(self.weights):
            msg = "all weights are 0; at least one choice must have some"
            raise ValueError(msg)
        whole = all(one.denominator == 1 for one in self.choice or ())
        if self.change == "delay_quarters" and (self.choice is None or not whole):
            msg = "a delay is drawn by a 'choice' of whole quarters"
            raise ValueError(msg)
        if self.change == "factor" and any(one < 0 for one in self.choice or ()):
            msg = "a factor below 0 is not allowed"
            raise ValueError(msg)
        return self


class Samples(Model):
    """Scenarios drawn at random on top of each scenario of the batch."""

    n: Annotated[int, Field(strict=True, ge=1, le=MAX_UNITS)]
    seed: Annotated[int, Field(strict=True, ge=0)] = 0
    draws: Annotated[tuple[Draw, ...], Field(min_length=1)]
    together: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 250
    """How many samples are solved together by the batched kernels where they differ in numbers only; 0: none. Sample k
    belongs to the group k // together, so that groups that are full never change when `n` grows."""
    verify_every: Annotated[int, Field(strict=True, ge=1)] = 50
    """Of samples that are solved together, the first and every so many further ones are checked in full; the plan,
    the worth and the bound of every one are checked in exact integers."""

    @model_validator(mode="after")
    def _named_once(self) -> Samples:
        names = [draw.name for draw in self.draws]
        if len(set(names)) < len(names):
            msg = f"found {', '.join(names)}; each draw needs a name of its own"
            raise ValueError(msg)
        return self


class UnitEntry(Model):
    """One unit of a list."""

    portfolio: Text | None = None
    """One of the batch's; missing: the first."""
    site: Text = ALL
    scenario: Name = BASE
    settings: Name | None = None
    """Missing: the first."""


class BatchFile(Model):
    """A batch file."""

    format: Literal["gigaplan-batch/1"]
    name: Name
    title: Text | None = None
    portfolios: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Library names, or paths of portfolio or site files relative to this file."""
    sites: Literal["all", "each"] | Annotated[tuple[Name, ...], Field(min_length=1)] = "each"
    """`all`: jointly, one unit; `each`: every site of the portfolio for itself; or names of sites, each for itself.
    A site for itself has the whole portfolio's supply, budget and envelope."""
    scenario_files: tuple[Text, ...] = ("deal",)
    """Names of the library, or paths relative to this file."""
    scenarios: Literal["all"] | Annotated[tuple[Name, ...], Field(min_length=1)] = (BASE,)
    settings: Annotated[tuple[SettingsEntry, ...], Field(min_length=1)] = (SettingsEntry(),)
    combination: Literal["grid", "list", "sampled"] = "grid"
    units: tuple[UnitEntry, ...] = ()
    """Due for a list, and only there."""
    samples: Samples | None = None
    """Due for samples, and only there."""

    @model_validator(mode="after")
    def _fits_its_combination(self) -> BatchFile:
        due = {"list": "units", "sampled": "samples"}
        for combination, key in due.items():
            if (self.combination == combination) != bool(getattr(self, key)):
                if self.combination == combination:
                    msg = f"the key '{key}' is missing, which the combination '{combination}' needs; add it"
                else:
                    msg = f"found '{key}', which only the combination '{combination}' uses; remove it or change that"
                raise ValueError(msg)
        names = [one.name for one in self.settings]
        if len(set(names)) < len(names):
            msg = f"found settings {', '.join(names)}; each needs a name of its own"
            raise ValueError(msg)
        return self

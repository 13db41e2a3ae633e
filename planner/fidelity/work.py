"""Throughput of one rack system over another: MLPerf scenarios, and curves over tokens for each user and second."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from planner.fidelity.computation import Computation
from planner.fidelity.power import gpus_of, rack_w
from planner.fidelity.reader import Case
from sites import units
from sites.faults import Fault, InputError
from sites.schema.common import Name
from sites.throughput import ThroughputError, unit_rate, units_per_rack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.fidelity.reader import Reader
    from sites.schema.throughput import ThroughputBasis, ThroughputCurve

SCENARIOS = ("offline", "server", "interactive")
"""MLPerf's scenarios in order of the points of a curve."""
Scenario = Literal["offline", "server", "interactive"]


class _Against(Computation):
    """One configuration over another on one basis."""

    basis: Name
    """Throughput basis of the catalogue; rates of two bases do not compare."""
    configuration: str
    against: str
    """The configuration that counts as 1."""

    @property
    def unit(self) -> str:
        """A factor."""
        return "×"


class ScenarioRatio(_Against):
    """Rate in an MLPerf scenario over that of another configuration, for each rack, GPU or all-in watt."""

    kind: Literal["scenario-ratio"]
    scenario: Scenario = "offline"
    per: Literal["rack", "gpu", "all-in-watt"] = "rack"

    def compute(self, reader: Reader) -> Fraction:
        """Best rate of each on the basis, divided."""
        basis = reader.entry("throughput basis", self.basis, reader.catalog.throughput)
        ours, others = (
            rack_rate_per_s(reader, basis, name, self.scenario) / self._divisor(reader, name)
            for name in (self.configuration, self.against)
        )
        return ours / others

    def _divisor(self, reader: Reader, name: str) -> Fraction:
        """What of a rack its rate is divided by."""
        match self.per:
            case "gpu":
                return gpus_of(reader, name)
            case "all-in-watt":
                return rack_w(reader, name, Case.VALUE)
            case _:
                return Fraction(1)


class RoundGain(Computation):
    """Rate of a configuration in one round of a benchmark over that in an earlier one: what software brought."""

    kind: Literal["round-gain"]
    basis: Name
    earlier: Name
    """The same benchmark in an earlier round."""
    configuration: str
    scenario: Scenario

    @property
    def unit(self) -> str:
        """A factor."""
        return "×"

    def compute(self, reader: Reader) -> Fraction:
        """Best rate of each round, divided."""
        now, before = (
            rack_rate_per_s(
                reader,
                reader.entry("throughput basis", name, reader.catalog.throughput),
                self.configuration,
                self.scenario,
            )
            for name in (self.basis, self.earlier)
        )
        return now / before


class SpeedRatio(_Against):
    """Rate for each all-in megawatt over that of another configuration, both at one speed with their best software."""

    kind: Literal["speed-ratio"]
    speed: units.TokensPerSecondPerUser | None = None
    """Missing: the measured speed at which the ratio is largest."""

    def compute(self, reader: Reader) -> Fraction:
        """Best rate of each at the speed, divided."""
        basis = reader.entry("throughput basis", self.basis, reader.catalog.throughput)
        ours, others = (
            curves_of(basis, reader.configuration(name).system.name) for name in (self.configuration, self.against)
        )
        speeds = [self.speed] if self.speed is not None else _speeds(ours, others)
        if not speeds:
            raise nothing_measured(self.basis, self.configuration, f"a speed of those measured on '{self.against}'")
        return max(self._best(reader, ours, speed) / self._best(reader, others, speed) for speed in speeds)

    def _best(self, reader: Reader, curves: Sequence[ThroughputCurve], speed: Fraction) -> Fraction:
        """The highest rate at a speed of those curves that reach it."""
        rates, refused = [], ""
        for curve in curves:
            try:
                rate, points = unit_rate(curve, speed, basis=self.basis)
            except ThroughputError as error:
                refused = str(error)
                continue
            rates.append(rate)
            for point in points:
                reader.number(f"{self.basis}.{curve.system}.{curve.software} near {float(speed):g}", point.rate)
        if not rates:
            raise InputError([Fault("public figures", None, self.basis, refused)])
        return max(rates)


def rack_rate_per_s(reader: Reader, basis: ThroughputBasis, configuration: str, scenario: Scenario) -> Fraction:
    """Rate of a rack in a scenario with its best software, in 1/s; raises InputError where it was not measured."""
    system, index = reader.configuration(configuration).system, SCENARIOS.index(scenario)
    curves = [one for one in curves_of(basis, system.name) if len(one.points) > index]
    if not curves:
        raise nothing_measured(basis.name, system.name, f"the scenario '{scenario}'")
    best = max(curves, key=lambda one: (one.points[index].rate.value or 0) * units_per_rack(one, system))
    rate_per_s = reader.number(f"{basis.name}.{system.name}.{scenario}", best.points[index].rate)
    return rate_per_s * units_per_rack(best, system)


def curves_of(basis: ThroughputBasis, system: str) -> list[ThroughputCurve]:
    """Curves of a basis that were measured on a system; raises InputError where there are none."""
    found = [one for one in basis.curves if one.system == system]
    if not found:
        raise nothing_measured(basis.name, system, "any curve")
    return found


def nothing_measured(basis: str, system: str, what: str) -> InputError:
    """The error for a figure that asks what a basis does not hold."""
    message = f"'{system}' has no measurement for {what}; name another basis or system"
    return InputError([Fault("public figures", None, basis, message)])


def _speeds(ours: Sequence[ThroughputCurve], others: Sequence[ThroughputCurve]) -> list[Fraction]:
    """Speeds at which both were measured."""

    def measured(curves: Sequence[ThroughputCurve]) -> set[Fraction]:
        return {
            point.speed.value
            for curve in curves
            for point in curve.points
            if point.speed is not None and point.speed.value is not None
        }

    return sorted(measured(ours) & measured(others))

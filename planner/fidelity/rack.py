"""What a rack is: totals over its GPUs, its heat, its coolant and its weight on the floor."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from planner.fidelity.computation import KILO, PETA, TERA, Computation
from planner.fidelity.reader import Case
from planner.lower.draws import HEAT_CAPACITY_J_PER_L_K, flow_ml_per_min
from sites import units
from sites.schema.common import Count, Name

if TYPE_CHECKING:
    from planner.fidelity.reader import Reader

SECONDS_PER_MINUTE = 60
MILLILITRES_PER_LITRE = 1000
PerGpuFigure = Literal[
    "memory_per_gpu",
    "memory_bandwidth_per_gpu",
    "nvfp4_dense_per_gpu",
    "fp8_dense_per_gpu",
    "scale_up_per_gpu",
    "energy_storage_per_gpu",
]
_TOTALS = {
    "memory_per_gpu": ("TB", TERA),
    "memory_bandwidth_per_gpu": ("TB/s", TERA),
    "nvfp4_dense_per_gpu": ("PFLOP/s", PETA),
    "fp8_dense_per_gpu": ("PFLOP/s", PETA),
    "scale_up_per_gpu": ("TB/s", TERA),
    "energy_storage_per_gpu": ("kJ", KILO),
}


class TotalOverGpus(Computation):
    """A figure that the catalogue has for each GPU, summed over a rack, or over as many GPUs as the source counts."""

    kind: Literal["total-over-gpus"]
    system: Name
    figure: PerGpuFigure
    case: Case = Case.VALUE
    gpus: Count | None = None
    """Missing: a rack."""

    @property
    def unit(self) -> str:
        """That of the figure, in the prefix in which racks are quoted."""
        return _TOTALS[self.figure][0]

    def compute(self, reader: Reader) -> Fraction:
        """The total."""
        system = reader.entry("rack system", self.system, reader.catalog.rack_systems)
        each = reader.number(f"{self.system}.{self.figure}", getattr(system, self.figure), self.case)
        n_gpus = self.gpus or reader.number(f"{self.system}.gpu_packages", system.gpu_packages)
        return each * n_gpus / _TOTALS[self.figure][1]


class PerGpuRatio(Computation):
    """A figure of each GPU of one system over that of another."""

    kind: Literal["per-gpu-ratio"]
    system: Name
    against: Name
    """The system that counts as 1."""
    figure: PerGpuFigure

    @property
    def unit(self) -> str:
        """A factor."""
        return "×"

    def compute(self, reader: Reader) -> Fraction:
        """One over the other."""
        systems = (
            reader.entry("rack system", name, reader.catalog.rack_systems) for name in (self.system, self.against)
        )
        ours, other = (reader.number(f"{one.name}.{self.figure}", getattr(one, self.figure)) for one in systems)
        return ours / other


class RackHeat(Computation):
    """Heat of a rack that leaves by liquid or by air."""

    kind: Literal["rack-heat"]
    configuration: str
    medium: Literal["liquid", "air"]

    @property
    def unit(self) -> str:
        """Kilowatts."""
        return "kW"

    def compute(self, reader: Reader) -> Fraction:
        """Sustained power times the share of the medium."""
        profile = reader.configuration(self.configuration).profile
        watts = reader.number(f"{self.configuration}.sustained_max", profile.sustained_max)
        liquid = reader.number(f"{self.configuration}.liquid_share", profile.liquid_share)
        return watts * (liquid if self.medium == "liquid" else 1 - liquid) / KILO


class FlowPerKilowatt(Computation):
    """Coolant for each kilowatt of heat by liquid: heat / (density · heat capacity · rise)."""

    kind: Literal["flow-per-kilowatt"]
    system: Name
    coolant: Literal["water", "pg25"]

    @property
    def unit(self) -> str:
        """Litres a minute and kilowatt."""
        return "L/min/kW"

    def compute(self, reader: Reader) -> Fraction:
        """The rule of the model for one kilowatt at the system's design rise."""
        system = reader.entry("rack system", self.system, reader.catalog.rack_systems)
        rise_k = reader.number(f"{self.system}.rise", system.rise)
        return Fraction(flow_ml_per_min(KILO, self.coolant, rise_k), MILLILITRES_PER_LITRE)


class RackFlow(Computation):
    """Coolant of a rack at a rise that the source states, or at its design rise."""

    kind: Literal["rack-flow"]
    configuration: str
    coolant: Literal["water", "pg25"]
    rise: units.Kelvin | None = None

    @property
    def unit(self) -> str:
        """Litres a minute."""
        return "L/min"

    def compute(self, reader: Reader) -> Fraction:
        """The rule of the model for the rack's heat by liquid."""
        one = reader.configuration(self.configuration)
        watts = reader.number(f"{self.configuration}.sustained_max", one.profile.sustained_max)
        watts *= reader.number(f"{self.configuration}.liquid_share", one.profile.liquid_share)
        rise_k = self.rise or reader.number(f"{one.system.name}.rise", one.system.rise)
        return Fraction(flow_ml_per_min(round(watts), self.coolant, rise_k), MILLILITRES_PER_LITRE)


class RiseAtFlow(Computation):
    """How much warmer a flow that the source states leaves a rack."""

    kind: Literal["rise-at-flow"]
    configuration: str
    coolant: Literal["water", "pg25"]
    flow: units.LitresPerMinute

    @property
    def unit(self) -> str:
        """Kelvin."""
        return "K"

    def compute(self, reader: Reader) -> Fraction:
        """Heat by liquid / (flow · density · heat capacity)."""
        profile = reader.configuration(self.configuration).profile
        watts = reader.number(f"{self.configuration}.sustained_max", profile.sustained_max)
        watts *= reader.number(f"{self.configuration}.liquid_share", profile.liquid_share)
        return watts * SECONDS_PER_MINUTE / (self.flow * HEAT_CAPACITY_J_PER_L_K[self.coolant])


class FloorLoad(Computation):
    """Weight of a rack on its own footprint."""

    kind: Literal["floor-load"]
    system: Name

    @property
    def unit(self) -> str:
        """Kilograms for each square metre."""
        return "kg/m²"

    def compute(self, reader: Reader) -> Fraction:
        """Weight over footprint."""
        system = reader.entry("rack system", self.system, reader.catalog.rack_systems)
        weight_kg = reader.number(f"{self.system}.weight", system.weight)
        return weight_kg / reader.number(f"{self.system}.footprint", system.footprint)

"""The integer problem for other solvers: exact MPS text, and HiGHS in this process."""

from __future__ import annotations

from planner.export.highs import HighsOptimum, highs_model, highs_optimum
from planner.export.model import IntegerModel, integer_model
from planner.export.mps import write_mps

__all__ = ["HighsOptimum", "IntegerModel", "highs_model", "highs_optimum", "integer_model", "write_mps"]

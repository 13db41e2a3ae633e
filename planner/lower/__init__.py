"""From a world to the integer problem: the only bridge between graphs and arrays."""

from __future__ import annotations

from planner.lower.lowered import Lowered
from planner.lower.lowering import lower

__all__ = ["Lowered", "lower"]

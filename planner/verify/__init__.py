"""The independent checker: a run folder against the site graphs, with code of its own."""

from __future__ import annotations

from planner.verify.check import verify
from planner.verify.report import Check, LevelGap, Report, Spread

__all__ = ["Check", "LevelGap", "Report", "Spread", "verify"]

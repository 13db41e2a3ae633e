"""Branch and bound over small problems, with multipliers at its leaves as the proof."""

from __future__ import annotations

"""Figures of the search that its plain-loop and its vectorised form share; imports nothing."""

from __future__ import annotations

HALF = 32768
"""Half of the 65536 values of a draw."""

FREELY = 12000
"""Draws below which a block's racks are upgraded wherever they fit."""

GUIDED = 30000
"""Draws below which a row's switch is the guide's,"""
NEVER = 42000
"""below which it never comes,"""
ALWAYS = 54000
"""below which it holds from the first period; above, it is drawn anywhere."""

MOST_BLOCKS = 4
"""Most blocks that a step empties."""
NEAR = 8
"""How far on a block counts as near."""

STRIP = 1 << 26
"""First number of the draws that pick the periods to strip."""
STRIPPED = 22000
"""Draws below which a period is stripped."""

LEVELS = 16
"""Rows may first be filled to a level drawn from 1 to this,"""
LEVEL_ONLY = 52000
"""and no further where the draw is not below this (from a half on a level is drawn at all)."""
NO_LEVEL = 1 << 30
"""Level of a row that is filled as far as it goes."""

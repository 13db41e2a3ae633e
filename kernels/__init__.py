"""Arithmetic on arrays: one contract, one plain-loop reference per kernel, and its backends.

Knows nothing of sites; imports neither `sites` nor `planner`.
"""

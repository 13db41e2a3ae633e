"""What is true of the world: schema, units, catalogue, library of sites, and the graphs built from them.

Knows nothing of optimisation; imports neither `kernels` nor `planner`.
"""

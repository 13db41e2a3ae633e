"""A first-order bound: restarted, preconditioned primal–dual iteration over a compact linear program.

For problems in which too little is alike for column generation over classes, and for many scenarios at once as lanes.
Whatever its floating point finds is put on the grid of multipliers and evaluated exactly, so a bound is valid at any
moment, in single precision too.
"""

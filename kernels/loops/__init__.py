"""The plain-loop reference of every kernel; compiled by Numba it is the CPU backend `numba`."""

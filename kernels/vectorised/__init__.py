"""Every kernel in NumPy: the backend `numpy`, over all periods and lanes at once, without Numba."""

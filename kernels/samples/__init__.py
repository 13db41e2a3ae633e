"""Tiny models that any machine can check a backend on; the same shape and seed always give the same arrays."""

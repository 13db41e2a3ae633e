"""Checks of a device by whoever has one: what it is, whether it agrees with the plain loops, its memory, its speed."""

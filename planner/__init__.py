"""Decisions: lower graphs to arrays, solve, bound, certify, verify, value, report, and the command line.

The only package that knows both `sites` and `kernels`.
"""

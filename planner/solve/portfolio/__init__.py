"""Portfolios of many sites: each site is a problem of its own, and what all share is priced and handed out.

`split` takes a problem apart, `prices` and `bound` prove one bound for all sites together, `shares` and `planning`
hand every site whole parts of each shared capacity and plan it, `solve` is the whole way, `summary` says what each
site contributes to plan and bound.
"""

"""Portfolios of real campuses, written by `python -m sites.frontier` from Epoch AI's Frontier Data Centers (CC BY 4.0).

`edition` reads the tables, `phases` dates their power, `places` adds what no table says (region, climate, price of
energy), `layout` and `plant` size halls that carry the published power, `documents` and `portfolio` write the files.
"""

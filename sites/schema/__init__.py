"""The closed, frozen shape of every input file: sites, portfolios and the catalogue."""

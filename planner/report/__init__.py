"""The report: one HTML file made from a run's documents and graphs, readable without a network."""

"""The bundled catalogue: data files in `data/`, read by `sites.catalog.loader`."""

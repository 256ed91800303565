"""Measurements against peers, made in the same run on the same machine.

A room of the house has one module here; it offers ``rows(data, only)``, which measures and yields one `Row` a figure
(`bench.rows`). Nothing is imported here, so that peers in an environment of their own can run modules of this package.
"""

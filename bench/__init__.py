"""Measurements against peers, made in the same run on the same machine.

A room of the house has one module here; it offers ``rows(data, only)``, which measures and yields one `Row` a figure.
"""

from bench.rows import BenchError, Row, timed, wanted

__all__ = ["BenchError", "Row", "timed", "wanted"]

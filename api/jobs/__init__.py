"""Video work on many machines: jobs in PostgreSQL, leased to workers."""

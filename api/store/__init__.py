"""Where everything is kept: the database, its tables, the objects."""

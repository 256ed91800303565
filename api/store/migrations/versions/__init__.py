"""One module a step, numbered in order: 0001, 0002, ..."""

"""Planning over HTTP: the planner of `missions` in processes of its own, and what pages show of its plans."""

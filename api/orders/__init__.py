"""Orders of a pilot to a vehicle that flies: given here, taken by its ground station, and what came of each."""

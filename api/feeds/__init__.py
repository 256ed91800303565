"""The event log as it goes out: streams that stay open, and calls to targets that partners and inside systems name."""

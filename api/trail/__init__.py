"""What happened: the audit chain and the event log."""

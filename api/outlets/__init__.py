"""Cursors in the event log that push to somebody outside: what TAK servers and brokers have in common."""

"""Cursor-on-Target: events of what may be read, as a feed and to TAK servers."""

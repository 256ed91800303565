"""OGC API - Features: what may be read, for programs that know maps and not this service."""

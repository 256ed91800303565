"""The service's own client, and the spool it delivers through."""

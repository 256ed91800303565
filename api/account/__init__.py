"""What the house answers for: retention and erasure, what the public may know, backups."""

"""What people make of it."""

"""What may be read, and the forms it is read in."""

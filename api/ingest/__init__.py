"""What comes in: records and their evidence."""

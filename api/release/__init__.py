"""What is shared with whom, and taken back."""

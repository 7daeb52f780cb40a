"""What the user passed, read once at the edge, on the host."""

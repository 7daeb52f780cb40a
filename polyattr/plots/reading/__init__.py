"""What there is to draw, read from results and arrays."""

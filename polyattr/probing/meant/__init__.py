"""Whether the question that was asked is the one that was meant."""

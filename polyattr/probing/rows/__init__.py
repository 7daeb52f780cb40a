"""Whether the rows of a batch are apart, and how many of them a model takes."""

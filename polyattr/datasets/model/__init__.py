"""The model of a worker: where it comes from, and what it is known by."""

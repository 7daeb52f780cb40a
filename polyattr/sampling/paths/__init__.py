"""Paths from a baseline to the input that are not straight."""

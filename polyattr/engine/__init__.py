"""Runs recipes: rounds of rows, cut into tiles of one shape, on compiled kernels."""

"""Shapes and tiles, planned on the host before anything runs."""

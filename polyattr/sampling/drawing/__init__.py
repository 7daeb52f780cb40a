"""Draws: how many a sample needs, and what each of them is."""

"""Checks of what users call, which is made of the verbs."""

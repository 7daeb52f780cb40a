"""Checks of the verbs one by one: what fails here is the cause of what fails elsewhere."""

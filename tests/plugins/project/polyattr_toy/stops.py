"""A module of a plugin that cannot be imported."""

raise RuntimeError("the abacus is broken")

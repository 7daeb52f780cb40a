"""Where the model fails on what it is given: what it would take instead."""

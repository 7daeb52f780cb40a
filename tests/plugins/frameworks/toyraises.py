"""A framework whose plugin is broken."""

"""One batch: read from whatever an engine hands over, and answered in columns."""

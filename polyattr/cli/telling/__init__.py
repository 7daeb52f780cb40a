"""What a result says, to readers and to machines."""

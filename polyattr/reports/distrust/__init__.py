"""What of a result is better not believed, and why."""

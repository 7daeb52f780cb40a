"""What the user's arguments mean: method, target, baseline, filter."""

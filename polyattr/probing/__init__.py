"""What two rows, tried on the model, tell before the first gradient."""

"""From a model's outputs to one number a row."""

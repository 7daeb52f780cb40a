"""Some of the samples of a result, taken out and put back."""

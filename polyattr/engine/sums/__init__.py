"""What is made of the running sums: attributions, their errors, what neighbours tell."""

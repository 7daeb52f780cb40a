"""A run over a data set: what is asked, planned, made, and told at the end."""

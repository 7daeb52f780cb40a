"""Models of the command line: the user's own objects by name, and files that backends load."""

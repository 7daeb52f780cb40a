"""What rows tell about the error of a map."""

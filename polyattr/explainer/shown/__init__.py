"""What users see of a method around its answers: its arguments, its help, how far a call is."""

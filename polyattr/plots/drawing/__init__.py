"""What all pictures are made of: figures, colours, scales, marks, and how results are read."""

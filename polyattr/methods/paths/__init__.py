"""Integrated Gradients' relatives: other paths, other measures along the path."""

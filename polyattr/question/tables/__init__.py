"""Tables and labelled arrays as inputs: read once, at the edge, as arrays and what they name."""

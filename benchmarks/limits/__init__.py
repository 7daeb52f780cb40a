"""What explanations cost, beside what a framework asks for the same gradients."""

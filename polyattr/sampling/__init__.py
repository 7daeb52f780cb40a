"""Where a method takes gradients, how often, and with what weight."""

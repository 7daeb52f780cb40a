"""Files the command writes: checked before the work, and there as a whole or not at all."""

"""Pictures of attributions, on matplotlib."""

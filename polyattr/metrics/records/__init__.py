"""What metrics find, and how it is drawn."""

"""What other libraries call things, and what polyattr calls them."""

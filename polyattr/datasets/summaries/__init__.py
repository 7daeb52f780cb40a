"""What is known of all rows after one pass over them, whether their maps are kept or not."""

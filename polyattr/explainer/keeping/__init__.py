"""What a result keeps of its call, and how it is taken up again."""

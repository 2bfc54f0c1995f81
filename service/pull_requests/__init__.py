"""What a pull request is made of, read from disk."""

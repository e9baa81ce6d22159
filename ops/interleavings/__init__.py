"""What several people do at once with the same rows, in orders that seeds give."""

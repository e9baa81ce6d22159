"""What belongs to signing in beside password and second factor."""

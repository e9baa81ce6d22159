"""Rules of notices: kinds, delivery, quiet hours."""

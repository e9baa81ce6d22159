"""The catalogue and people that a new installation begins with."""

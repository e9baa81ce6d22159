"""Results of the laboratory."""

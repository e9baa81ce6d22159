"""What administrators do with the catalogue: entries as they stand, changes, their effect (O6)."""

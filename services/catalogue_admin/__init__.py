"""What administrators do with the catalogue: its present entries, changes, their effect (O6)."""

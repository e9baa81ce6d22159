"""Rules of the catalogue: entries, intakes, search."""

"""The catalogue: lookup, loading, intakes."""

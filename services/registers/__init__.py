"""The comparison with the state registers: at night for everybody, on demand for oneself."""

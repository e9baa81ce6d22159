"""The catalogue over JSON: what people choose from, and who administers it."""

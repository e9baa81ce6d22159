"""The catalogue over JSON: what people choose from, and its administration."""

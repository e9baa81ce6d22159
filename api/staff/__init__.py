"""Staff over JSON: import from a table, people."""

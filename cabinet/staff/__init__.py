"""Pages of staff: import from a table, people."""

"""Staff: import from a table, absences."""

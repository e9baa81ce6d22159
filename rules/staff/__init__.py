"""The staff table: its columns and rows."""

"""What a backup is made of: PostgreSQL and its WAL, objects, Temporal."""

"""After a restore: what of database, object store and Temporal does not fit, and its repair."""

"""Pages of the journal and of declared losses."""

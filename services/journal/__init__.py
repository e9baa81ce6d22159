"""The journal: entries, checkpoints, verification, declared losses."""

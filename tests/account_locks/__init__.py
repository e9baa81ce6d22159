"""Locks by suspicion."""

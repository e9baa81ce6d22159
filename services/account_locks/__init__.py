"""Locks by suspicion, and the way by which they are opened."""

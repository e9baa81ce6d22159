"""The schedule: pure rules."""

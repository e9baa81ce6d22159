"""Signing in and the own account, over JSON."""

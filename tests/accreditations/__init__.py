"""Periodic accreditations."""

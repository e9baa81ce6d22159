"""Periodic accreditations: prepared and checked here, decided by the federal centre."""

"""Patients and the ways into their records."""

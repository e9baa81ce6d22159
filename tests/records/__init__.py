"""Patients' records."""

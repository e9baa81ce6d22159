"""Patients: entered, corrected, joined and parted, opened (W2)."""

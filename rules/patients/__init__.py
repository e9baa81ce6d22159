"""Patients: who they are, and what opens their records (W2)."""

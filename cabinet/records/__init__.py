"""The pages of patients' records."""

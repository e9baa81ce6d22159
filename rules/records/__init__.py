"""Rules of patients' records: types of entry, diagnoses, how an entry changes."""

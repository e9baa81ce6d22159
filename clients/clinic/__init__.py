"""The connections of the clinic: the laboratory, the registry of patients."""

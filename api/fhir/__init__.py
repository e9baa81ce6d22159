"""FHIR R4 for other systems, read-only: people as practitioners with their qualification."""

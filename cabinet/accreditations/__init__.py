"""The pages of periodic accreditations."""

"""What periodic accreditations require."""

"""The pages of the verification of an account."""

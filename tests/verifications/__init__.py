"""The verification of accounts."""

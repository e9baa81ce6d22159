"""The verification of accounts: documents, identity, and what else confirms a person."""

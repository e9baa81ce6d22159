"""Credentials: proofs of qualification, and what the end of one brings."""

"""Proofs of qualification: the file, and what is being described."""

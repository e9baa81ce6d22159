"""Credentials: proofs of qualification, and who may do what with them."""

"""Pages of proofs of qualification."""

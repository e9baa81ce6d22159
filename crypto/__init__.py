"""Cryptographic message syntax: signatures and encryption, pure functions over bytes."""

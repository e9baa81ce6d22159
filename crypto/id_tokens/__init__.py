"""Signed statements of an identity provider (JWS of RFC 7515): checked, and made for tests."""

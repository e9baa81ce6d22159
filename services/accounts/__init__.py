"""Signing in, sessions, devices, access tokens, contacts."""

"""Encrypted values of all tables: verified, counted by key, and encrypted anew when keys rotate."""

"""Texts that people type: cleaning, names, mail addresses, names of papers."""

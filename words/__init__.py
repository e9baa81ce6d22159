"""Texts in the reader's language: translation and formats."""

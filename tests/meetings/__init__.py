"""Meetings by video."""

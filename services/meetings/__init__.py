"""Meetings by video with an operator."""

"""Notices: outbox, wording, channels, settings, delivery reports."""

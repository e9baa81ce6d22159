"""Requests for documents of the state: acts, handover, answers, withdrawal."""

"""Inspection of files in processes that can be killed."""

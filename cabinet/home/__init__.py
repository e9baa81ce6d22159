"""The home page: each subject gives a part of it."""

"""The pages of meetings by video."""

"""The pages of locks by suspicion."""

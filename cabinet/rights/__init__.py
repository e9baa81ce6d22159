"""The pages of changes of rights, and of rights as a whole."""

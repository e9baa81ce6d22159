"""The pages of systems that hear of changes of credentials."""

"""Systems that hear of changes of credentials."""

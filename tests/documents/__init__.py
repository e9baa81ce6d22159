"""Documents and their files, from the rules to the API."""

"""Hand-overs of documents of qualification to authorities (Q5)."""

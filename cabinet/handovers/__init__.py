"""Hand-overs of documents to authorities."""

"""Pages of requests for documents of the state."""

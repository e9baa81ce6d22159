"""Pages of the documents that a person keeps."""

"""Documents that a person keeps."""

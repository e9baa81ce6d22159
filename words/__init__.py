"""Words in the language of the reader: translation and formats."""

"""The pages: that they render, read well and are usable by everybody."""

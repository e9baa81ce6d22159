"""Rules of files and of categories of documents."""

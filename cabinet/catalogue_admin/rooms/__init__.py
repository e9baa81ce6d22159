"""The kinds of entry on the administrator's pages, one file each."""

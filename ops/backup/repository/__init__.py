"""Where backups are kept: manifest and encryption."""

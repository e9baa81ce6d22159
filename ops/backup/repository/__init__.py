"""Where backups are kept: manifest, encryption, pruning."""

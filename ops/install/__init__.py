"""Programs that an installation needs, fetched from package registries."""

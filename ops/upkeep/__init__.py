"""Commands on an installation that runs: migrate, verify, replay, keys."""

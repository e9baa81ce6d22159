"""One installation on one machine: its home, servers, supervisor."""

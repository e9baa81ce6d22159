"""The registers that are only asked: workers, identities. They keep nothing and share a process."""

"""`medcab keys`: the ring of keys of stored data, rotated while people work. See docs/keys.md."""

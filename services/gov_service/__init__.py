"""The line to the state service: keys, envelopes, messages."""

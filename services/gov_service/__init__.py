"""The exchange with the gov service: keys, envelopes, messages."""

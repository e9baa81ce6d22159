"""For the people who run the installation: desk, Temporal UI, codec of payloads."""

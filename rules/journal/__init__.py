"""What the journal records, and what of it is shown to whom."""

"""Results of the laboratory, from the message to the confirmation (W2)."""

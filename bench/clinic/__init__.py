"""What the clinic promises: one time is booked once, and its pages stay quick."""

"""Of what people are notified in the clinic: patients, results, the schedule."""

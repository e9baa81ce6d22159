"""What every route stands on: who asks, bodies and their limits, problems, headers, metrics."""

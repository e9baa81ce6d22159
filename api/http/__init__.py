"""What every route uses: who asks, bodies and their limits, problems, headers, metrics."""

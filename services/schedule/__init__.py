"""The schedule: hours, free times, appointments, the clock that watches them."""

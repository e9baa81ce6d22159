"""The client of Temporal: signals, schedules, payload codec, replays."""

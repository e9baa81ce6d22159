"""The line to Temporal: signals, schedules, payload codec, replays."""

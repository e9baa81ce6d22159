"""What ops and information security see and do."""

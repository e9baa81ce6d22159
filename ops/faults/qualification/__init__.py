"""Stories of credentials, accreditations and hand-overs, and the people in them."""

"""Applications for training and accreditation: acts, checks, enrolment."""

"""Pages of applications: programmes, intakes, drafts, and the check of a certificate."""

"""Rules for those who run the installation."""

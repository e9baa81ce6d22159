"""Good and bad files by the thousand, and what the inspection says of them (`medcab corpus`)."""

"""The pages on which simulators show what they took: mails, SMS, messages of browsers."""

"""Mail, SMS and push: the lines to providers, and what they report."""

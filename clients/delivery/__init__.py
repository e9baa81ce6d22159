"""Mail, SMS and push: the clients of the providers, and the delivery reports they send."""

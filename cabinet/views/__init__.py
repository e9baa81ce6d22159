"""What the templates are given: small frozen views, filled by the routes from services."""

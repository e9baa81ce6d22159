"""Cases over JSON: applications, requests, their conversation, review and verification."""

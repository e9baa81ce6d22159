"""Other systems that hear of changes of credentials by webhooks; see docs/webhooks.md."""

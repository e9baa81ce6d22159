"""Callbacks of other systems: the gov service, the SMS gateway, mail servers."""

"""Webhooks: an account's changes, sent signed to an address of the account's choice."""

"""The durable connection between a house and the backend (docs/protocol/link.md)."""

"""The whole story with real processes: a broker, the backend, Home Assistant. The demo and the end-to-end tests."""

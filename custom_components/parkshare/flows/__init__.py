"""The dialogs: linking a backend is in config_flow.py; here are a space's settings, the options, and their page."""

"""Frigate NVR as a plate source: its messages over MQTT, its pictures and settings over HTTP."""

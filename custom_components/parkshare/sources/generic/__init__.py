"""Anything in Home Assistant that tells a plate: an event, an entity, an MQTT topic or a webhook."""

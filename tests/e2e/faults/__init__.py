"""What goes wrong in the field, each fault alone and in pairs, in one running Home Assistant with many ground locks."""

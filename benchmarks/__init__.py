"""Programs that measure: each prints a table for people and, with --json FILE, the same figures for programs."""

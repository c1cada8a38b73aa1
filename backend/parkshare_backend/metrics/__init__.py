"""What an operator's Prometheus reads: how busy the server is and how far behind, never about whom."""

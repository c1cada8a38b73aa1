"""What every feature's HTTP side shares: typed routes, problems, limits, the OpenAPI document."""

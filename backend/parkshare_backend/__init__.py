"""The shared backend of ParkShare: matching, booking, tracking and standby for private parking spaces."""

__version__ = "0.1.0"

"""Matching: which free spaces suit a place, a period and a car, best first."""

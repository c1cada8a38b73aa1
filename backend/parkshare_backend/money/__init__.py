"""Prices, the ledger that can't be unbalanced, and how money comes and goes."""

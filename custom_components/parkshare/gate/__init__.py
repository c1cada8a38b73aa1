"""The gate of one space: what may move its barrier, and when. Pure: no Home Assistant, no clock, no I/O.

words.py has the types, table.py every transition with its reason, core.py the one entry point `step`.
"""

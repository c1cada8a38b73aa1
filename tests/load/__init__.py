"""Load: programs that race, kill and fuzz real servers on both engines. They are long and never part of the suite."""

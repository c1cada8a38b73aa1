"""The parts of the benchmark of plate reading (benchmarks/recognition.py)."""

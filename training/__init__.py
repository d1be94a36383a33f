"""Fits the models that are ours, each by a script of its own; what they are fitted to lies in `benchmarks/truth`."""

"""Trains the demo's language model from scratch, on simulated calls."""

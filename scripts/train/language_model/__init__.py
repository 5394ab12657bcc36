"""Trains the demo's language model from nothing, on simulated calls."""

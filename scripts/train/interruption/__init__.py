"""Trains the interruption model, which tells what sound over the agent's voice is."""

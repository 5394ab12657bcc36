"""Interruption engines: what a sound over the agent's voice is."""

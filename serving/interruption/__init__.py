"""Engines that tell what sound over the agent's voice is."""

"""Training of the interruption model: what callers' sounds over the agent's voice are."""

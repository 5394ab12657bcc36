"""The agent's own voice, come back over the caller's line, taken out of what the agent listens to."""

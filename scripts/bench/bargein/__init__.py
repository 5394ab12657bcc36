"""How soon a caller who speaks over the agent is heard, and what stops the agent for nothing."""

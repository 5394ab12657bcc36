"""One call: its events and state, what the agent does in it, and what attaches to it."""

"""What is left of the agent's own voice when it comes back over the line."""

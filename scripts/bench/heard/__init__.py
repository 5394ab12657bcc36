"""What a caller hears of a reply, compared with what the agent remembers of it."""

"""What of a reply a caller really hears, against what the agent remembers of it."""

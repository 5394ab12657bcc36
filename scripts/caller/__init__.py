"""The simulated caller: joins a real room, speaks prepared lines, listens, and measures what it heard."""

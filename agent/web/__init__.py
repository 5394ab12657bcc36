"""The web process: tokens for calls, and the playground."""

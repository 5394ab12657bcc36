"""Text to speech engines."""

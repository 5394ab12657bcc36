"""Engines: load, warm, share, schedule, measure. Knows nothing of LiveKit."""

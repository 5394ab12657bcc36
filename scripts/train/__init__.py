"""Rebuilds the models shipped in models/demo. No call needs it, and the image does not carry it."""

"""Sounds on a telephone line that are not words."""

"""Builds the container image and runs it for real."""

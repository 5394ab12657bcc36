"""Measuring turn-taking: who speaks when, over which lines."""

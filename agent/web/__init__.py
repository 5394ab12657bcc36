"""Tokens and the playground."""

"""Builds the demo's Whisper: sentences, voices, features, training, export, evaluation. One command a file."""

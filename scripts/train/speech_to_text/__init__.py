"""Builds the demo's Whisper: sentences, voices, features, training, export, evaluation, with one command per file."""

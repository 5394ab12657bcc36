"""Builds the demo's Piper voice: corpus, teacher, training, export, evaluation. One command a file."""

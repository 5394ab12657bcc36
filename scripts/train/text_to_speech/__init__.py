"""Builds the demo's Piper voice: corpus, teacher, training, export, evaluation, with one command per file."""

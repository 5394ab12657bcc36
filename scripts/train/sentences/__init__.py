"""Sentences that the demo's speech models are trained on, drawn from grammars in YAML."""

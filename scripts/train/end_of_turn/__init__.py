"""Trains the end-of-turn model: turns with marked pauses, rendered voices, frozen sound features, a head."""

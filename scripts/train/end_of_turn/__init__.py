"""How the end-of-turn model is made: turns with marked pauses, rendered voices, frozen sound features, a head."""

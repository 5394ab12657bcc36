"""When somebody speaks: the ends of turns, interruptions, pauses, echo."""

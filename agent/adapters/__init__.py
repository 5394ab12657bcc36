"""LiveKit's classes on top of our engines, one file per stage."""

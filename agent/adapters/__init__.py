"""LiveKit classes over the engines, one file a stage."""

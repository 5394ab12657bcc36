"""How soon the final transcript is ready."""

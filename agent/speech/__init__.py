"""Text made speakable, and cut into pieces that can be spoken."""

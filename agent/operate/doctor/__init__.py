"""`make doctor`: whether this machine can run Callbox, and what has to be fixed. It reads and measures; it changes nothing."""

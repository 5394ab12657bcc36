"""`make doctor`: what this machine can run, and what stands in its way. Reads and measures; changes nothing."""

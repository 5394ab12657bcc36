"""One call: what happens in it, its state, what is said, and who is told."""

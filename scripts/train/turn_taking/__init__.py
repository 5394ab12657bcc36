"""What the demo's turn-taking models share: rendered voices and what a line does to them."""

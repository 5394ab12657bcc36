"""What the demo's turn-taking models share: rendered voices, and what a telephone line does to them."""

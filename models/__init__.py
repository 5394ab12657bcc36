"""What a model is and where its bytes are: manifest, store, verification. Knows nothing of engines."""

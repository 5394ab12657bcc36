"""What a model is and where its bytes are: manifest, store, download, verification. Knows nothing of engines."""

"""What a GPU has, what the engines need of it, and whether their CUDA libraries can live in one process."""

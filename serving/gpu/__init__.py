"""NVIDIA GPUs: what they have, what the engines need of it, and whether the engines' CUDA libraries can share a process."""

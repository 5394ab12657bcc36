"""NVIDIA GPUs: what they have, what the engines need of them, and whether the CUDA libraries can share a process."""

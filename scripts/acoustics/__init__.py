"""What lies between a speaker and the box, simulated: for benches, tests and training alike."""

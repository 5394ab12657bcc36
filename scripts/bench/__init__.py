"""What this machine does, measured: `python -m scripts.bench` lists the benches and runs them."""

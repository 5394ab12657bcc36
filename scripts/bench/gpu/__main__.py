"""`python -m scripts.bench.gpu`."""

from scripts.bench.gpu.parts import app
from scripts.caller.leaving import run_and_leave

run_and_leave(app)

"""`python -m scripts.bench.heard`."""

from scripts.bench.heard.bench import app
from scripts.caller.leaving import run_and_leave

run_and_leave(app)

"""`python -m scripts.bench.bargein`."""

from scripts.bench.bargein.compare import main

main()

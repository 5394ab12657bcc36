"""`python -m scripts.bench.echo`."""

from scripts.bench.echo.compare import main

main()

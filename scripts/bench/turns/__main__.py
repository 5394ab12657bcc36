"""`python -m scripts.bench.turns`."""

import numpy as np

from scripts.bench.turns.compare import main

np.seterr(all="raise", under="ignore")
main()

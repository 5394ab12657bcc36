"""Running the box: supervisor, worker, doctor, profiles, keys, GPU plan."""

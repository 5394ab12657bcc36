"""`make doctor`: whether this machine can run Callbox, and what to fix if not. It measures, and changes nothing."""

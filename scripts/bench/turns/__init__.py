"""How soon ends of turns are seen, against how many pauses are taken for ends."""

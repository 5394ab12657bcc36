"""Everything that a GPU machine can tell, without a network."""

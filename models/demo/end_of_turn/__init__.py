"""The demo's end-of-turn model: whether a caller has finished, from sound, words, what was asked and their own pauses."""

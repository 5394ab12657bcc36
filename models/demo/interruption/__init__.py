"""The interruption model: interruption, backchannel, or neither."""

"""The agent's replies: preemptive generation, what the caller heard of them, apologies."""

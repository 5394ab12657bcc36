"""Pure decisions: events and a timestamp in, a decision out."""

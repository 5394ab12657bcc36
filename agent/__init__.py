"""The conversation: worker, adapters, policies, speech text, records, web. The only package that imports LiveKit."""

"""The demo's language model: a tiny Llama for a clinic's front desk, and what it was trained with."""

"""Converts Llama models for CTranslate2."""

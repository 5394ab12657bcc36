"""Tests of serving/vad."""

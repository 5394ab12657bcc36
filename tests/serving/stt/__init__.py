"""Tests of serving/stt."""

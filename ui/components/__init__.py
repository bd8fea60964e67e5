"""Pieces of pages. Each owns its session-state keys and returns plain values."""

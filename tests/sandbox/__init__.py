"""Tests of the stand-in, over the wire."""

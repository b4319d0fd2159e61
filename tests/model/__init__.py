"""Tests of secondwind.model."""

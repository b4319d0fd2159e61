"""Second Wind."""

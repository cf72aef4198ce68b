"""Makes keys, certificates and settings for a registry, its broker and its kiosks."""

"""The process that talks. It has the network, and no device and no private signing key."""

"""What crosses the network: pure, and all that the centre shares with the kiosk."""

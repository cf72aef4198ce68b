"""What the kiosk does towards a person; pure, and importable with nothing installed."""

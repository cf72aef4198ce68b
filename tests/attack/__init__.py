"""Hostile repositories, brokers, sticks and clocks against the updater (`make attack`)."""

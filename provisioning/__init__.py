"""From a box of parts to a kiosk that works: sites, keys, certificates, the demonstration."""

"""What the centre knows: people, certifications, devices, accounts, audit."""

"""What survives a power cut. Functions take and return domain types; no row leaves the package."""

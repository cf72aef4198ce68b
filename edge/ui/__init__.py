"""Screen: a pure view of the session, and a thin window that draws it."""

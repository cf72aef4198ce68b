"""The update process: fetches signed releases, tries them, keeps them or goes back."""

"""protopact."""

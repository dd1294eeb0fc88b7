"""Rooms for other people's libraries, one package each; a library is imported only in its own room."""

"""What callers meet: the routes, a command for each, and the description of all of them."""

"""What each request does: one function for each, from the request to its answer."""

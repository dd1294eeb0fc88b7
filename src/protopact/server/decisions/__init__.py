"""What the registry decides: drafts, verdicts, what holds for a subject, and the service that joins them."""

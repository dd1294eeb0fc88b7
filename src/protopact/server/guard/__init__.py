"""Who may do what: proofs of identity, what each caller may see and change, and the users' file."""

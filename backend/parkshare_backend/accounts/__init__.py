"""People, their tokens, and the houses they linked."""

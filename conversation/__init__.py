"""The kernel: knows people, replies, choices, forms and stored state, and no messenger."""

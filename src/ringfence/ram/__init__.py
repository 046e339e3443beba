"""Who may do what: RAM policies, and what they decide of a request. Pure: no I/O and no clock (SEMANTICS.md 9)."""

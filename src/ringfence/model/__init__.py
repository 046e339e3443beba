"""The nouns: frozen values that print in the notation users write and parse back. No I/O, no clock, no globals."""

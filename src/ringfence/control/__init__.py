"""Operations: the only way to change anything, used by every API and by the command line."""

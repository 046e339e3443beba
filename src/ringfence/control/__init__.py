"""Operations on the store: the only way to change anything once a server runs. No wire format here."""

"""The clouds' own APIs: thin translators to the operations of `control`, no rule of meaning."""

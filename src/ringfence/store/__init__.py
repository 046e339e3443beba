"""Durable state behind the operations: SQLite by default, PostgreSQL by URL."""

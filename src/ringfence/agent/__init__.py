"""Follows revisions, drives a backend and reports what is enforced."""

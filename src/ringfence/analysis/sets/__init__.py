"""Exact sets of packets: decision diagrams over intervals, and how they are written."""

"""Answers about reachability as pictures: SVG for reviews, the same bytes for the same answer."""

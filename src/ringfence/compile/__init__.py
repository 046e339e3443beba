"""World to Plan: classes, boxes and layers, neutral to any backend. Pure."""

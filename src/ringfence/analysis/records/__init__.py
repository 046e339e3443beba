"""What was seen: hit counters, drop records and flow logs, led back to the rules that users wrote."""

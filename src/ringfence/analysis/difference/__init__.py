"""What a change of worlds changes in who reaches whom: exact sets, and the connections that it would cut."""

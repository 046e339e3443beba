"""Who can reach whom, exactly: ends in classes that no rule tells apart, and what passes between these."""

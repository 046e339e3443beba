"""One command, `ringfence`: arguments in, text or JSON out, exit codes. No meaning here."""

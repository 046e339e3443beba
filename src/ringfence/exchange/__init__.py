"""Rules of a security group as files, out and in: JSON, CSV and XLSX (SEMANTICS.md section 7). Bytes only, no disk."""

"""What people print or file: the battery's certificate, a month of the journal."""

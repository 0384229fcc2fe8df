"""Pictures from lists of web addresses: read, fetched within limits, checked, accounted for."""

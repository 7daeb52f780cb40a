"""The pictures of a report: small, and with words that say what is to be seen."""

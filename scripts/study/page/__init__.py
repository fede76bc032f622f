"""The report as a page that answers the pointer, a file for each part. Imports what it shows."""

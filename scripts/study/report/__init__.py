"""The report and the model's card, a file for each part. Imports what it shows."""

"""What every other room may need and that knows nothing of studies. Imports no other room."""

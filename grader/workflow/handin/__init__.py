"""What is handed in, and doing it again on ground made new."""

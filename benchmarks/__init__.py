"""What the product's numbers are, measured. Never asserted in a test: machines differ, ratios in one run count."""

"""What the product's numbers are, measured. Never asserted in a test: machines differ, so ratios within one run count."""

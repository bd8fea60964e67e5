"""What is measured, one script a claim. Figures are printed, never asserted on time."""

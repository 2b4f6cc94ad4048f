"""The ground of an exercise: what is applied, laid, recorded, held and made as new."""

"""How well the methods do, on labelled images: one harness for every question."""

"""Which way of learning from few labelled photos and many others judges best: python -m ml.scarce_labels."""

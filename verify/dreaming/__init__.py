"""Dreams: what decides a picture, where it is kept, and how it is drawn.

The web process asks for them and keeps none of the networks; the classifier's process draws: see
`verify.classifier`.
"""

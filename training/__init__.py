"""Makes the tiny plate reader of our own: draws plates, trains a small network on them, exports it for ncnn.

Run by scripts/train-reader in an environment of its own; nothing in the product imports it. Drawing needs numpy and
Pillow only, training also torch. docs/model-card.md says what came out.
"""

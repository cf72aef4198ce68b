"""The evaluation bench: attacks and living people, generated, before the product's own check."""

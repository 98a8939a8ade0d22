"""Shipped numbers only, each with a card that says what they were trained on."""

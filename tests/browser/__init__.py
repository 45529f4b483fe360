"""The demo district in a real browser: what a person sees, clicks and reads."""

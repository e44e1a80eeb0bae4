"""Adapters to what others have built; each module imports its framework only when it is used."""

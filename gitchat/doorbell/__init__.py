"""The doorbell between clones: who pushed something knocks, and who lacks it fetches at once.

Knows clones and what is below; no face, and nobody's surroundings: addresses and settings are given to it.
"""

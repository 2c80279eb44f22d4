"""What can be wrong here, what mends it, and how that is proven.

Knows everything below the faces; changes nothing unless it is asked to.
"""

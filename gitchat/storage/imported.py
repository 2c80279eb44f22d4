"""pygit2, also where the system has no certificates of authorities: there its import fails, as of pygit2 1.19.

A container may have git and Python and no ``ca-certificates``, and SSL_CERT_FILE may name a file that is gone. Nothing
of libgit2 that is used here speaks to a network; git does, and says itself what it misses.
"""

from __future__ import annotations

import ssl

__all__ = ["pygit2"]

_asked = ssl.get_default_verify_paths
_paths = _asked()
try:
    if _paths.cafile is None and _paths.capath is None:
        # What libgit2 is told as pygit2 is imported: any directory will do.
        ssl.get_default_verify_paths = lambda: _paths._replace(capath="/")
    import pygit2
finally:
    ssl.get_default_verify_paths = _asked

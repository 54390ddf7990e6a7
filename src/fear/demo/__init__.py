"""The page in the browser: its files, and the server that delivers them."""

from fear.demo.pages import HOST
from fear.demo.server import Certificate, serve
from fear.demo.site import Site, write_site

__all__ = ["HOST", "Certificate", "Site", "serve", "write_site"]

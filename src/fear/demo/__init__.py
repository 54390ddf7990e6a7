"""The page in the browser: what it consists of, and the server that hands it out."""

from fear.demo.pages import HOST
from fear.demo.server import Certificate, serve
from fear.demo.site import Site, write_site

__all__ = ["HOST", "Certificate", "Site", "serve", "write_site"]

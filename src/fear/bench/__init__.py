"""Speed and energy on this machine."""

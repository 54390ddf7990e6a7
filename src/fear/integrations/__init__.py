"""Adapters to the interfaces of other libraries, so that FEAR can take the place of another tracker."""

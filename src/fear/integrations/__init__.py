"""Other people's interfaces, so that FEAR can stand in where another tracker stood."""

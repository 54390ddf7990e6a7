"""Other people's interfaces, so that FEAR stands in where their trackers stood."""

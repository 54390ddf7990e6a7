"""Pictures and videos: reading, cropping, writing."""

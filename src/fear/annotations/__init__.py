"""What is made of tracks: box files, drawn frames, whole recordings."""

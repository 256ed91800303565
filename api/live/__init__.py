"""Where vehicles are now: the newest state of each alone, written, read and streamed under the release rule."""

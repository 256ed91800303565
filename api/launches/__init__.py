"""Plans that are sent to vehicles: ground stations that stand by, and what pilots order them to fly."""

"""What each camera sees now: one small picture of each stream, in memory alone, for those inside."""

"""Instagram's Graph API: what it says, how fast it may be asked, what its errors mean."""

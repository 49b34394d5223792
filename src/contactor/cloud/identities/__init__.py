"""Who is which car: codes given out, certificates signed, revoked, asked about at the door."""

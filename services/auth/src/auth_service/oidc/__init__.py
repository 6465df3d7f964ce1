"""Sign-in through the organisation's OpenID provider: its tokens, and whom they let in (docs/adr/0047)."""

"""From the bytes of a log to stored records and patterns, in bounded memory and one transaction."""

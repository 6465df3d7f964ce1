"""From the bytes of a log to records and patterns; pure, and used by the service and the command line alike."""

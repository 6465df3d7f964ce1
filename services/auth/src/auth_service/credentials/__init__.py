"""What proves who somebody is: passwords, opaque secrets, API tokens, signing keys, and how often one may try."""

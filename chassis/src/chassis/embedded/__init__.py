"""Postgres and NATS out of pinned wheels, for one machine and for tests. Production points at real ones instead."""

"""What tests of services stand on: real engines, a clock that stands still, a service running in the process."""

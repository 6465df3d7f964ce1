"""What tests of the gateway, and tests that go through it, stand on. No part of the product imports it."""

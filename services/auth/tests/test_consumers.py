from auth_service.consumers import subscriptions


def test_identity_depends_on_no_other_service() -> None:
    assert subscriptions() == ()

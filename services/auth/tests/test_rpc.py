import jwt

from aiops.auth.v1 import auth_service_pb2 as pb
from aiops.auth.v1 import user_pb2
from services.auth.tests.factories import ADMIN_EMAIL, PASSWORD, Auth, new_key, refusal


async def test_first_admin_signs_up_logs_in_and_reads_his_account(auth: Auth) -> None:
    admin = await auth.first_admin()

    me = await auth.me(admin)

    assert (me.email, me.display_name, me.version) == (ADMIN_EMAIL, "Ada", 1)
    assert (me.role, me.status) == (user_pb2.ROLE_ADMIN, user_pb2.USER_STATUS_ACTIVE)
    claims = jwt.decode(admin.token, options={"verify_signature": False})
    now = int(auth.clock.now().timestamp())
    assert (claims["iss"], claims["aud"], claims["sub"], claims["role"]) == ("aiops", "aiops", me.id, "admin")
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (now, now, now + 600)
    assert claims["sid"] == str(auth.rows("sessions")[0]["id"])
    assert jwt.get_unverified_header(admin.token)["typ"] == "at+jwt"
    assert auth.events() == [("aiops.auth.user.signed_up.v1", 1)]
    assert auth.audit() == ["user.signed_up", "log_in.succeeded"]
